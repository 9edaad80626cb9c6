package main

import (
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/lineage"

	"sluice.dev/toolchain/internal/serve"
)

// maxEvents bounds what an explanation keeps; a longer evaluation goes on unrecorded.
const maxEvents = 100_000

type event struct {
	Op      string            `json:"op"`
	File    string            `json:"file"`
	Line    int               `json:"line"`
	Column  int               `json:"column"`
	Node    string            `json:"node"`
	Message string            `json:"message"`
	Locals  map[string]string `json:"locals"` // Rego terms by the names they have in the source
}

type selection func([]*topdown.Event) []*topdown.Event

// explanationOf returns nil for "off".
func explanationOf(level string) (selection, error) {
	switch level {
	case "", "off":
		return nil, nil
	case "notes":
		return lineage.Notes, nil
	case "fails":
		return lineage.Fails, nil
	case "full":
		return lineage.Full, nil
	}
	return nil, serve.Refuse(serve.CodeBadRequest, "unknown explain %q: off, notes, fails or full", level)
}

// boundedTracer is topdown's BufferTracer with an end.
type boundedTracer struct{ events []*topdown.Event }

func (*boundedTracer) Enabled() bool { return true }

func (*boundedTracer) Config() topdown.TraceConfig { return topdown.TraceConfig{PlugLocalVars: true} }

func (b *boundedTracer) TraceEvent(one topdown.Event) {
	if len(b.events) < maxEvents {
		b.events = append(b.events, &one)
	}
}

func events(trace []*topdown.Event) []event {
	list := []event{}
	for _, one := range trace {
		told := event{Op: string(one.Op), Message: shorten(one.Message), Locals: locals(one)}
		if one.Node != nil {
			told.Node = shorten(fmt.Sprint(one.Node))
		}
		if one.Location != nil {
			told.File, told.Line, told.Column = one.Location.File, one.Location.Row, one.Location.Col
		}
		list = append(list, told)
	}
	return list
}

func locals(one *topdown.Event) map[string]string {
	named := map[string]string{}
	if one.Locals == nil {
		return named
	}
	one.Locals.Iter(func(key, value ast.Value) bool {
		variable, isVariable := key.(ast.Var)
		if !isVariable {
			return false
		}
		name := string(variable)
		if metadata, known := one.LocalMetadata[variable]; known {
			name = string(metadata.Name)
		}
		if !strings.HasPrefix(name, ast.LocalVarPrefix) && !strings.HasPrefix(name, ast.WildcardPrefix) {
			named[name] = shorten(value.String())
		}
		return false
	})
	return named
}

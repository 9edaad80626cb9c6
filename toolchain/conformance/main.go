// Command conformance compiles OPA's own evaluation cases, which lie inside OPA's Go module, and writes each to standard
// output as two frames: what the case gives and wants (JSON), and its WebAssembly module. It is used by tests only.
//
// Frame: length (uint32, big endian), bytes. Case: see type exported. A case that does not compile has an empty module.
//
// Exit codes: 0 all written, 1 the cases cannot be read or the stream broke, 2 usage.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/test/cases"
	"github.com/open-policy-agent/opa/v1/types"
)

// exported is what the judge of a case needs; documents are JSON text, so that no number changes on its way.
type exported struct {
	Category    string            `json:"category"`
	Note        string            `json:"note"`
	Data        string            `json:"data"`  // "" = none
	Input       string            `json:"input"` // a Rego term, which JSON is too; "" = undefined
	WantDefined *bool             `json:"wantDefined"`
	WantResult  string            `json:"wantResult"` // "" = not compared
	WantError   *string           `json:"wantError"`  // the code
	StrictError bool              `json:"strictError"`
	SortValues  bool              `json:"sortValues"`
	Env         map[string]string `json:"env"`
	Failure     string            `json:"failure"` // why it does not compile, "" otherwise
}

type compiled struct {
	header exported
	module []byte
}

func main() {
	if len(os.Args) != 3 || (os.Args[1] != "v0" && os.Args[1] != "v1") {
		fmt.Fprintln(os.Stderr, "usage: conformance v0|v1 FOLDER-OF-OPA'S-MODULE")
		os.Exit(2)
	}
	// One case calls it; the judge answers null at once.
	rego.RegisterBuiltin1(&rego.Function{
		Name: "test.sleep", Decl: types.NewFunction(types.Args(types.S), types.NewNull()),
	}, func(rego.BuiltinContext, *ast.Term) (*ast.Term, error) { return ast.NullTerm(), nil })
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(version, folder string) error {
	set, err := cases.Load(filepath.Join(folder, "v1/test/cases/testdata", version))
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for one := range inOrder(set.Cases, func(test cases.TestCase) compiled { return compile(version, test) }) {
		header, err := json.Marshal(one.header)
		if err != nil {
			return err
		}
		for _, frame := range [][]byte{header, one.module} {
			if err := writeFrame(out, frame); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// inOrder works on as many cases at once as there are processors and yields them in the order of the cases.
func inOrder(all []cases.TestCase, work func(cases.TestCase) compiled) func(func(compiled) bool) {
	queue := make(chan chan compiled, runtime.GOMAXPROCS(0))
	go func() {
		for _, test := range all {
			answer := make(chan compiled, 1)
			queue <- answer
			go func() { answer <- work(test) }()
		}
		close(queue)
	}()
	return func(yield func(compiled) bool) {
		for answer := range queue {
			if !yield(<-answer) {
				return
			}
		}
	}
}

func compile(version string, test cases.TestCase) compiled {
	header := exported{
		Category: filepath.Base(filepath.Dir(test.Filename)), Note: test.Note,
		WantDefined: test.WantDefined, WantError: test.WantErrorCode,
		StrictError: test.StrictError, SortValues: test.SortBindings, Env: test.Env,
	}
	if err := documents(test, &header); err != nil {
		header.Failure = err.Error()
		return compiled{header: header}
	}
	regoVersion := ast.RegoV1
	if version == "v0" {
		regoVersion = ast.RegoV0
	}
	options := []func(*rego.Rego){
		rego.Query(test.Query), rego.SetRegoVersion(regoVersion),
		rego.Capabilities(ast.CapabilitiesForThisVersion(ast.CapabilitiesExperimentalKeywords(test.ExperimentalKeywords))),
	}
	for index, text := range test.Modules {
		options = append(options, rego.Module(fmt.Sprintf("module-%d.rego", index), text))
	}
	result, err := rego.New(options...).Compile(context.Background())
	if err != nil {
		header.Failure = err.Error()
		return compiled{header: header}
	}
	return compiled{header: header, module: result.Bytes}
}

func documents(test cases.TestCase, header *exported) error {
	if test.WantError != nil && header.WantError == nil {
		header.WantError = new(string)
	}
	if test.Data != nil {
		text, err := json.Marshal(*test.Data)
		if err != nil {
			return err
		}
		header.Data = string(text)
	}
	if test.WantResult != nil {
		text, err := json.Marshal(*test.WantResult)
		if err != nil {
			return err
		}
		header.WantResult = string(text)
	}
	switch {
	case test.InputTerm != nil:
		term, err := ast.ParseTerm(*test.InputTerm)
		if err != nil {
			return err
		}
		header.Input = term.String()
	case test.Input != nil:
		text, err := json.Marshal(*test.Input)
		if err != nil {
			return err
		}
		header.Input = string(text)
	}
	return nil
}

func writeFrame(out io.Writer, frame []byte) error {
	if err := binary.Write(out, binary.BigEndian, uint32(len(frame))); err != nil {
		return err
	}
	_, err := out.Write(frame)
	return err
}

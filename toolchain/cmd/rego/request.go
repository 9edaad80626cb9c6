package main

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"sluice.dev/toolchain/internal/serve"
)

const (
	maxFiles      = 10_000
	maxTotalBytes = 32 << 20
	maxPathBytes  = 4096
)

// Codes of refusals beside those of package serve.
const (
	codeParse         = "rego-parse"
	codeType          = "rego-type"
	codeCompile       = "rego-compile"
	codeUnsafeBuiltin = "rego-unsafe-builtin"
	codeEval          = "eval-error"
	codeNesting       = "nesting"
	codeData          = "rego-data"
	codeDataConflict  = "rego-data-conflict"
)

// request is the union of what the operations take; each reads its own fields and a key outside of them is refused.
type request struct {
	ID int64  `json:"id"`
	Op string `json:"op"`

	Files       []file `json:"files"`
	RegoVersion string `json:"regoVersion"` // "v1" (default) or "v0"

	Schemas        map[string]json.RawMessage `json:"schemas"`
	SchemaByFile   map[string]*string         `json:"schemaByFile"`
	Strict         bool                       `json:"strict"`
	DeniedBuiltins []string                   `json:"deniedBuiltins"`
	Entrypoints    []string                   `json:"entrypoints"`

	Data                json.RawMessage `json:"data"`
	Input               json.RawMessage `json:"input"` // absent: undefined
	Query               string          `json:"query"`
	Explain             string          `json:"explain"`
	TimeNs              *string         `json:"timeNs"`
	TimeoutMs           int64           `json:"timeoutMs"` // 0: none, the parent kills
	StrictBuiltinErrors bool            `json:"strictBuiltinErrors"`

	Coverage bool   `json:"coverage"`
	Run      string `json:"run"`

	Documents []string `json:"documents"`
}

// file is a policy; Path is relative with forward slashes, and "_test.rego" at its end makes it a test.
type file struct {
	Path string `json:"path"`
	Text string `json:"text"`

	RegoVersion string            `json:"regoVersion"` // "" the request's; "v0"; "v1"; "either": v1, and v0 where only that parses
	Lenient     bool              `json:"lenient"`     // strict mode does not look at it
	Rename      map[string]string `json:"rename"`      // see rename.go; absent and null: everything stays as it is called

	StrictBuiltinErrors bool `json:"strictBuiltinErrors"` // compile: see strict.go
	HostAnswers         bool `json:"hostAnswers"`         // compile: the same for hostAnswers of strictlist.go alone
}

func (f file) isTest() bool { return strings.HasSuffix(f.Path, "_test.rego") }

// checkFiles applies the bounds: number, total size, form and uniqueness of paths, depth of nesting.
func (r request) checkFiles() error {
	if len(r.Files) > maxFiles {
		return serve.Refuse(serve.CodeBadRequest, "%d files, %d are allowed", len(r.Files), maxFiles)
	}
	seen, total := map[string]bool{}, 0
	for _, one := range r.Files {
		if err := checkPath(one.Path); err != nil {
			return serve.Refuse(serve.CodeBadRequest, "%v", err)
		}
		if seen[one.Path] {
			return serve.Refuse(serve.CodeBadRequest, "file %q is given twice", one.Path)
		}
		seen[one.Path] = true
		if _, err := namedVersion(one.RegoVersion); err != nil && one.RegoVersion != "" && one.RegoVersion != eitherVersion {
			return err
		}
		if total += len(one.Text); total > maxTotalBytes {
			return serve.Refuse(serve.CodeBadRequest, "files have more than %d bytes together", maxTotalBytes)
		}
	}
	var tooDeep serve.Errors
	for _, one := range r.Files {
		if line, column, deep := nestedTooDeep(one.Text); deep {
			tooDeep = append(tooDeep, at(codeNesting, one.Path, line, column,
				fmt.Sprintf("brackets are nested more than %d deep", maxNesting)))
		}
	}
	if len(tooDeep) > 0 {
		return sorted(tooDeep)
	}
	return nil
}

func checkPath(name string) error {
	switch {
	case name == "" || len(name) > maxPathBytes:
		return fmt.Errorf("file path of %d bytes, 1 to %d are allowed", len(name), maxPathBytes)
	case strings.ContainsAny(name, "\x00\\") || path.IsAbs(name) || path.Clean(name) != name,
		name == "." || name == ".." || strings.HasPrefix(name, "../"):
		return fmt.Errorf("file path %q is not a clean relative path", name)
	}
	return nil
}

func (r request) version() (ast.RegoVersion, error) {
	if r.RegoVersion == "" {
		return ast.RegoV1, nil
	}
	return namedVersion(r.RegoVersion)
}

func namedVersion(name string) (ast.RegoVersion, error) {
	switch name {
	case "v1":
		return ast.RegoV1, nil
	case "v0":
		return ast.RegoV0, nil
	}
	return ast.RegoUndefined, serve.Refuse(serve.CodeBadRequest, "unknown regoVersion %q", name)
}

// deadline is 0 when the request names none.
func (r request) deadline() (time.Duration, error) {
	if r.TimeoutMs < 0 || r.TimeoutMs > int64(24*time.Hour/time.Millisecond) {
		return 0, serve.Refuse(serve.CodeBadRequest, "timeoutMs %d is out of range", r.TimeoutMs)
	}
	return time.Duration(r.TimeoutMs) * time.Millisecond, nil
}

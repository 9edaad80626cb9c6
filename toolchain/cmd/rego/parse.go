package main

import (
	"github.com/open-policy-agent/opa/v1/ast"

	"sluice.dev/toolchain/internal/serve"
)

// parsed holds the files of a request after the bounds were checked; modules has one entry per file.
type parsed struct {
	files   []file
	modules map[string]*ast.Module
	version ast.RegoVersion
}

// parse checks the bounds and parses every file, so that one answer names the errors of all of them.
func parse(r request, files []file) (parsed, error) {
	if err := r.checkFiles(); err != nil {
		return parsed{}, err
	}
	version, err := r.version()
	if err != nil {
		return parsed{}, err
	}
	modules := make(map[string]*ast.Module, len(files))
	var problems serve.Errors
	for _, one := range files {
		module, err := parseAs(one, version)
		if err != nil {
			problems = append(problems, fromCompiler(err, codeParse)...)
			continue
		}
		problems = append(problems, rename(module, one)...)
		modules[one.Path] = module
	}
	if len(problems) > 0 {
		return parsed{}, sorted(problems)
	}
	return parsed{files: files, modules: modules, version: version}, nil
}

// eitherVersion tries v1 first; what only v0 understands is v0, and the errors of what neither understands are v1's.
const eitherVersion = "either"

func parseAs(one file, version ast.RegoVersion) (*ast.Module, error) {
	switch one.RegoVersion {
	case "":
		return parseFile(one, version)
	case eitherVersion:
		module, err := parseFile(one, ast.RegoV1)
		if err == nil {
			return module, nil
		}
		if old, oldErr := parseFile(one, ast.RegoV0); oldErr == nil {
			return old, nil
		}
		return nil, err
	}
	named, err := namedVersion(one.RegoVersion)
	if err != nil {
		return nil, err
	}
	return parseFile(one, named)
}

func parseFile(one file, version ast.RegoVersion) (*ast.Module, error) {
	module, err := ast.ParseModuleWithOpts(one.Path, one.Text, parserOptions(version))
	if err != nil {
		return nil, err
	}
	if module == nil {
		first := &ast.Location{File: one.Path, Row: 1, Col: 1}
		return nil, ast.NewError(ast.ParseErr, first, "empty module")
	}
	return module, nil
}

func parserOptions(version ast.RegoVersion) ast.ParserOptions {
	return ast.ParserOptions{RegoVersion: version, ProcessAnnotation: true, Capabilities: capabilities()}
}

// capabilities are all of this version, but no host may be reached: not for a remote $ref in a schema either.
func capabilities() *ast.Capabilities {
	all := *ast.CapabilitiesForThisVersion()
	all.AllowNet = []string{}
	return &all
}

func newCompiler(version ast.RegoVersion) *ast.Compiler {
	return ast.NewCompiler().
		WithCapabilities(capabilities()).
		WithDefaultRegoVersion(version).
		SetErrorLimit(maxErrors)
}

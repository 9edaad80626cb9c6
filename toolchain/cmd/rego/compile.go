package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/dependencies"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/util"

	"sluice.dev/toolchain/internal/serve"
)

type compilation struct {
	Wasm         string   `json:"wasm"`         // base64
	Entrypoints  []string `json:"entrypoints"`  // in the order of the module; annotations may add to those asked for
	Builtins     []string `json:"builtins"`     // what the host must bring for the policies, sorted
	RequiredData []string `json:"requiredData"` // "data.settings.registry": documents outside of the policies, sorted
}

// compileWasm builds one module from the policies of the request, without its tests. The bytes are those of
// `opa build -t wasm` for the same file names.
func compileWasm(r request) (any, error) {
	policies := slices.DeleteFunc(slices.Clone(r.Files), file.isTest)
	source, err := parse(r, policies)
	if err != nil {
		return nil, err
	}
	data, err := r.data()
	if err != nil {
		return nil, err
	}
	if len(policies) == 0 {
		return nil, serve.Refuse(serve.CodeBadRequest, "no policies to compile")
	}
	checked, err := checkModules(r, source, data)
	if err != nil {
		return nil, err
	}
	if source, err = makeStrict(source, checked); err != nil {
		return nil, err
	}
	built, err := build(r, source, data)
	if err != nil {
		return nil, err
	}
	wasm := built.WasmModules[0].Raw
	builtins, err := hostBuiltins(wasm)
	if err != nil {
		return nil, err
	}
	builtins = callsOfPolicies(builtins, checked)
	// checkModules has named the lines; this is the same question asked of the result.
	for _, name := range builtins {
		if slices.Contains(r.DeniedBuiltins, name) {
			return nil, serve.Errors{place(codeUnsafeBuiltin, "built-in "+name+" is not allowed here", nil)}
		}
	}
	entrypoints := []string{}
	for _, resolver := range built.Manifest.WasmResolvers {
		entrypoints = append(entrypoints, resolver.Entrypoint)
	}
	required, err := requiredData(checked, entrypoints, data)
	if err != nil {
		return nil, err
	}
	return compilation{
		Wasm: base64.StdEncoding.EncodeToString(wasm), Entrypoints: entrypoints,
		Builtins: builtins, RequiredData: required,
	}, nil
}

func build(r request, source parsed, data document) (*bundle.Bundle, error) {
	input := &bundle.Bundle{Data: data}
	input.SetRegoVersion(source.version)
	input.Manifest.Init()
	texts := map[string]string{}
	for _, one := range source.files {
		texts[one.Path] = one.Text
	}
	for _, path := range util.KeysSorted(source.modules) { // the order in which OPA's own loader gives them
		input.Modules = append(input.Modules, bundle.ModuleFile{
			URL: path, Path: path, Parsed: source.modules[path], Raw: []byte(texts[path]),
		})
	}
	compiler := compile.New().
		WithCapabilities(capabilities()).
		WithTarget(compile.TargetWasm).
		WithEntrypoints(r.Entrypoints...).
		WithRegoAnnotationEntrypoints(true).
		WithRegoVersion(source.version).
		WithBundle(input)
	if err := compiler.Build(context.Background()); err != nil {
		return nil, fromCompiler(err, codeCompile)
	}
	built := compiler.Bundle()
	if len(built.WasmModules) != 1 {
		return nil, errors.New("the compiler returned no module")
	}
	return built, nil
}

// requiredData lists the base documents that the entry points read and that are not given, by the part of the path that
// is known.
func requiredData(compiler *ast.Compiler, entrypoints []string, data document) ([]string, error) {
	names := map[string]bool{}
	for _, entrypoint := range entrypoints {
		path, known := storage.ParsePathEscaped("/" + entrypoint)
		if !known {
			return nil, fmt.Errorf("entry point %q is not a path", entrypoint)
		}
		query := ast.NewBody(ast.NewExpr(ast.NewTerm(path.Ref(ast.DefaultRootDocument))))
		refs, err := dependencies.Base(compiler, query)
		if err != nil {
			return nil, err
		}
		for _, ref := range refs {
			if prefix := ref.ConstantPrefix(); prefix.HasPrefix(ast.DefaultRootRef) && !data.covers(prefix) {
				names[prefix.String()] = true
			}
		}
	}
	return util.KeysSorted(names), nil
}

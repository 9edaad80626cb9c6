// Command data loads a folder or a bundle as OPA does and answers queries about it, one JSON text a line: what OPA itself
// finds of data files, beside which tests put what Sluice finds. With `build` it makes a bundle of a folder as `opa build -b`
// does, signed where a key is given, and a module where an entry point is.
//
// Exit codes: 0 answered, 1 OPA refuses what it is given (the reason goes to standard error), 2 usage.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/loader"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

func main() {
	if len(os.Args) < 3 || os.Args[1] == "build" && len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: data DIR|FILE.tar.gz QUERY...\n       data build DIR FILE.tar.gz KEY.pem|- ENTRYPOINT|-")
		os.Exit(2)
	}
	run := func() error { return answer(os.Args[1], os.Args[2:]) }
	if os.Args[1] == "build" {
		run = func() error { return build(os.Args[2], os.Args[3], os.Args[4], os.Args[5]) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(folder, file, key, entrypoint string) error {
	out := &bytes.Buffer{}
	compiler := compile.New().WithAsBundle(true).WithPaths(folder).WithOutput(out)
	if key != "-" {
		compiler = compiler.WithBundleSigningConfig(bundle.NewSigningConfig(key, "RS256", ""))
	}
	if entrypoint != "-" {
		compiler = compiler.WithTarget(compile.TargetWasm).WithEntrypoints(entrypoint)
	}
	if err := compiler.Build(context.Background()); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o600)
}

func answer(path string, queries []string) error {
	ctx := context.Background()
	loaded, err := loader.NewFileLoader().WithSkipBundleVerification(true).AsBundle(path)
	if err != nil {
		return err
	}
	modules := map[string]*ast.Module{}
	for _, one := range loaded.Modules {
		modules[one.Path] = one.Parsed
	}
	store := inmem.NewFromObject(loaded.Data)
	compiler := ast.NewCompiler()
	err = storage.Txn(ctx, store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		if compiler.WithPathConflictsCheck(storage.NonEmpty(ctx, store, txn)).Compile(modules); compiler.Failed() {
			return compiler.Errors
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, query := range queries {
		results, err := rego.New(rego.Query(query), rego.Compiler(compiler), rego.Store(store)).Eval(ctx)
		if err != nil {
			return err
		}
		var value any
		if len(results) > 0 {
			value = results[0].Expressions[0].Value
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		fmt.Println(string(text))
	}
	return nil
}

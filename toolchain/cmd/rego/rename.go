package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"sluice.dev/toolchain/internal/serve"
)

// rename puts a module under the package that file.Rename gives to its own, and whatever it names of other packages
// under theirs, so that two files of one package name are two policies. Positions stay those of the text. A name under
// data that is not in the list is an error at its place: an imported policy reads its own packages and what it was given.
func rename(module *ast.Module, one file) serve.Errors {
	if one.Rename == nil {
		return nil
	}
	moves := movesOf(one.Rename)
	problems := serve.Errors{}
	move := func(ref ast.Ref, location *ast.Location) ast.Ref {
		moved, found := moves.apply(ref)
		if !found {
			problems = append(problems, place(codeData, fmt.Sprintf("%v is not for this policy to read", ref), location))
			return ref
		}
		return moved
	}
	module.Package.Path = move(module.Package.Path, module.Package.Location)
	for _, one := range module.Imports {
		path, isRef := one.Path.Value.(ast.Ref)
		if !isRef || !path.HasPrefix(ast.DefaultRootRef) {
			continue
		}
		if one.Alias == "" {
			one.Alias = one.Name() // what the text goes on calling it
		}
		one.Path.Value = move(path, one.Path.Location)
	}
	for _, one := range module.Rules {
		ast.WalkTerms(one, func(term *ast.Term) bool {
			if ref, isRef := term.Value.(ast.Ref); isRef && ref.HasPrefix(ast.DefaultRootRef) {
				term.Value = move(ref, term.Location)
			}
			return false
		})
	}
	return problems
}

type moves []struct{ from, to ast.Ref }

func movesOf(names map[string]string) moves {
	list := moves{}
	for _, from := range util.KeysSorted(names) {
		list = append(list, struct{ from, to ast.Ref }{packagePath(from), packagePath(names[from])})
	}
	return list
}

// packagePath reads "a.b", and ["a", "b.c"] where a part is no plain name.
func packagePath(name string) ast.Ref {
	path := ast.Ref{ast.DefaultRootDocument}
	parts := []string{}
	if !strings.HasPrefix(name, "[") || json.Unmarshal([]byte(name), &parts) != nil {
		parts = strings.Split(name, ".")
	}
	for _, part := range parts {
		path = append(path, ast.StringTerm(part))
	}
	return path
}

// apply moves a reference by the longest name that it begins with.
func (all moves) apply(ref ast.Ref) (ast.Ref, bool) {
	longest, found := -1, false
	for index, one := range all {
		if ref.HasPrefix(one.from) && (!found || len(one.from) > len(all[longest].from)) {
			longest, found = index, true
		}
	}
	if !found {
		return nil, false
	}
	moved := append(ast.Ref{}, all[longest].to...)
	return append(moved, ref[len(all[longest].from):]...), true
}

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"sluice.dev/toolchain/internal/serve"
)

// document is the base document: what stands under data beside the rules.
type document map[string]any

// ownRoot is where the host puts what it moves and what it knows: p_<digest> below it is an imported policy's.
const ownRoot = "sluice"

// data is the base document; absent and null mean an empty one. It may be JSON in a text, which is how numbers of any
// size reach us from a writer that has only doubles.
func (r request) data() (document, error) {
	raw := []byte(r.Data)
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, serve.Refuse(serve.CodeBadRequest, "data is not a text: %v", err)
		}
		raw = []byte(text)
	}
	if len(raw) == 0 || string(raw) == "null" {
		return document{}, nil
	}
	var value map[string]any
	if err := util.UnmarshalJSON(raw, &value); err != nil {
		return nil, serve.Refuse(serve.CodeBadRequest, "data is not an object: %v", err)
	}
	return value, nil
}

// walk goes along the path as far as there are objects. It returns how many names it found, and whether it ended at a
// value that has no names in it although the path goes on.
func (d document) walk(path []string) (found int, blocked bool) {
	var value any = map[string]any(d)
	for _, name := range path {
		object, isObject := value.(map[string]any)
		if !isObject {
			return found, true
		}
		next, has := object[name]
		if !has {
			return found, false
		}
		value = next
		found++
	}
	return found, false
}

// conflicts is storage.NonEmpty of OPA: a rule at the path would stand where the data has a value, or inside of one.
func (d document) conflicts(path []string) (bool, error) {
	found, blocked := d.walk(path)
	return blocked || found == len(path), nil
}

// covers says whether a reference leads into the data. What is then absent there is undefined, as everywhere in OPA.
func (d document) covers(prefix ast.Ref) bool {
	path := names(prefix)
	if len(path) == 0 {
		return false
	}
	least := 1
	if path[0] == ownRoot {
		least = 3
	}
	found, _ := d.walk(path)
	return found >= least || found == len(path)
}

// names of a reference below data, up to the first part that is no text.
func names(ref ast.Ref) []string {
	path := []string{}
	for _, term := range ref[1:] {
		name, isText := term.Value.(ast.String)
		if !isText {
			break
		}
		path = append(path, string(name))
	}
	return path
}

// missed finds what native policies read of a document of the data that does not have it: a misspelt name, which would
// silently never be true. Policies of other engines are not asked, because there that is how people say "if it is set".
func (d document) missed(compiler *ast.Compiler, files []file) serve.Errors {
	problems := serve.Errors{}
	if len(d) == 0 {
		return problems
	}
	for _, one := range files {
		module := compiler.Modules[one.Path]
		if module == nil || one.Lenient || one.Rename != nil || one.isTest() {
			continue
		}
		replaced := replacedIn(module)
		look := func(term *ast.Term) bool {
			ref, isRef := term.Value.(ast.Ref)
			if !isRef || !ref.HasPrefix(ast.DefaultRootRef) {
				return false
			}
			prefix := ref.ConstantPrefix()
			isSet := slices.ContainsFunc(replaced, func(target ast.Ref) bool {
				return prefix.HasPrefix(target) || target.HasPrefix(prefix)
			})
			path := names(prefix)
			found, blocked := d.walk(path)
			if !isSet && !blocked && found > 0 && found < len(path) && !isVirtual(compiler, prefix) {
				problems = append(problems, place(codeCompile,
					fmt.Sprintf("%v is read, and no data file has it", ref), term.Location))
			}
			return false
		}
		for _, rule := range module.Rules {
			ast.WalkTerms(rule, look)
		}
	}
	return problems
}

// isVirtual says whether rules stand at the reference, above it or below it.
func isVirtual(compiler *ast.Compiler, prefix ast.Ref) bool {
	return len(compiler.GetRulesWithPrefix(prefix)) > 0 || len(compiler.GetRulesForVirtualDocument(prefix)) > 0
}

// replacedIn lists what a module replaces by `with`: who reads that does not read the data.
func replacedIn(module *ast.Module) []ast.Ref {
	targets := []ast.Ref{}
	ast.WalkWiths(module, func(one *ast.With) bool {
		if ref, isRef := one.Target.Value.(ast.Ref); isRef {
			targets = append(targets, ref)
		}
		return false
	})
	return targets
}

// isConflict tells OPA's error about a rule and a value of the data at one path; it has no code of its own.
func isConflict(problem *ast.Error) bool {
	return problem.Code == ast.CompileErr && strings.HasPrefix(problem.Message, "conflicting rule for data path ")
}

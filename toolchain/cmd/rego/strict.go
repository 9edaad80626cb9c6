package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"sluice.dev/toolchain/internal/serve"
)

// failedBuiltin is what a module calls on its host when a built-in inside of it has failed, with the name of the built-in
// and the types of its operands, and when the host is to answer in its place, with the name and an array of the operands.
// It is one that no policy may call here, and that OPA knows: a bundle's module is for OPA too, which loads none with a
// strange name. There the call fails, since neither is a module of Rego: a built-in that fails has no value, and each
// answers as it does in any module of OPA's.
const failedBuiltin = "rego.parse_module"

// The functions that stand for built-ins of the module; the package is refused to everybody else.
const (
	strictPackage = "sluice.strict"
	strictFile    = ".sluice/strict.rego"
)

var strictPath = packagePath(strictPackage)

// callsOfPolicies leaves out what the modules call only by the functions of strictText.
func callsOfPolicies(builtins []string, checked *ast.Compiler) []string {
	if len(deniedIn(checked.Modules, []string{failedBuiltin})) > 0 {
		return builtins
	}
	return slices.DeleteFunc(builtins, func(name string) bool { return name == failedBuiltin })
}

// makeStrict puts, in the files that ask for it, a function of ours in the place of each built-in that fails silently in
// a module, or that the host answers for, and adds the functions. The modules were checked before: what is written is what is checked, and positions
// stay as they are. checked holds the same modules with every name resolved.
func makeStrict(source parsed, checked *ast.Compiler) (parsed, error) {
	strict := strictFiles(source.files)
	if len(strict) == 0 && !slices.ContainsFunc(source.files, func(one file) bool { return one.HostAnswers }) {
		return source, nil
	}
	if problems := strictProblems(source.modules, checked.Modules, strict); len(problems) > 0 {
		return source, sorted(problems)
	}
	used, answered := map[string]bool{}, map[string]bool{}
	for _, asking := range source.files {
		one := rewriting{used: answered, others: namesOf(source.modules, asking.Path), prefix: answerPrefix}
		if strict[asking.Path] {
			one = rewriting{used: used, others: one.others, prefix: callPrefix}
		} else if !asking.HostAnswers {
			continue
		}
		if err := one.rewrite(source.modules[asking.Path]); err != nil {
			return source, err
		}
	}
	if len(used) == 0 && len(answered) == 0 {
		return source, nil
	}
	functions := file{Path: strictFile, Text: strictText(util.KeysSorted(used), util.KeysSorted(answered))}
	module, err := parseFile(functions, ast.RegoV0)
	if err != nil {
		return source, fmt.Errorf("the functions of strict built-ins: %w", err)
	}
	source.modules[strictFile] = module
	source.files = append(slices.Clone(source.files), functions)
	return source, nil
}

func strictFiles(files []file) map[string]bool {
	strict := map[string]bool{}
	for _, one := range files {
		if one.StrictBuiltinErrors {
			strict[one.Path] = true
		}
	}
	return strict
}

// strictProblems finds what would make the functions mean something else: a policy that defines some of them, and a
// built-in that is put in the place of a function, where its failure would be as silent as ever.
func strictProblems(modules, checked map[string]*ast.Module, strict map[string]bool) serve.Errors {
	var problems serve.Errors
	for _, path := range util.KeysSorted(modules) {
		for _, one := range modules[path].Rules {
			name := modules[path].Package.Path.Extend(one.Head.Ref().GroundPrefix())
			if name.HasPrefix(strictPath) || strictPath.HasPrefix(name) {
				problems = append(problems, place(codeCompile, strictPackage+" is a package of Sluice's own", one.Location))
			}
		}
	}
	for _, path := range util.KeysSorted(strict) {
		ast.WalkWiths(checked[path], func(one *ast.With) bool {
			name := one.Value.Value.String()
			_, fails := strictBuiltins[name]
			_, asks := hostAnswers[name]
			if (fails || asks) && isName(one.Value) {
				problems = append(problems, place(codeCompile,
					"built-in "+name+" cannot replace a function here: write a function that calls it", one.Location))
			}
			return false
		})
	}
	return problems
}

func isName(term *ast.Term) bool {
	switch term.Value.(type) {
	case ast.Var, ast.Ref:
		return true
	}
	return false
}

// namesOf are the names that mean, in this file, a rule of its package or an import, whatever built-ins are called.
func namesOf(modules map[string]*ast.Module, path string) map[ast.Var]bool {
	names := map[ast.Var]bool{}
	mine := modules[path]
	for _, other := range modules {
		if !other.Package.Path.Equal(mine.Package.Path) {
			continue
		}
		for _, one := range other.Rules {
			if name, is := one.Head.Ref()[0].Value.(ast.Var); is {
				names[name] = true
			}
		}
	}
	for _, one := range mine.Imports {
		ref, is := one.Path.Value.(ast.Ref)
		if is && (ref.HasPrefix(ast.DefaultRootRef) || ref.HasPrefix(ast.InputRootRef)) {
			names[one.Name()] = true
		}
	}
	return names
}

// In a strict file a built-in that fails is an error; in another one only what the host answers for has a function.
const (
	callPrefix   = "call_"
	answerPrefix = "answer_"
)

type rewriting struct {
	used   map[string]bool
	others map[ast.Var]bool
	prefix string
}

func (r rewriting) rewrite(module *ast.Module) error {
	for index, one := range module.Rules {
		changed, err := ast.Transform(ast.NewGenericTransformer(r.replace), one)
		if err != nil {
			return err
		}
		rule, is := changed.(*ast.Rule)
		if !is {
			return errors.New("a rule became something else")
		}
		module.Rules[index] = rule
	}
	return r.verify(module)
}

// replace is called for each node before its children.
func (r rewriting) replace(node any) (any, error) {
	switch node := node.(type) {
	case *ast.Expr:
		if terms, is := node.Terms.([]*ast.Term); is {
			terms[0] = r.instead(terms[0])
		}
	case ast.Call:
		node[0] = r.instead(node[0])
	case *ast.With:
		node.Target = r.instead(node.Target)
	case *ast.SomeDecl: // which OPA's transformer does not enter
		for index, term := range node.Symbols {
			changed, err := ast.Transform(ast.NewGenericTransformer(r.replace), term)
			if err != nil {
				return nil, err
			}
			value, is := changed.(ast.Value)
			if !is {
				return nil, errors.New("a term became something else")
			}
			node.Symbols[index] = ast.NewTerm(value).SetLocation(term.Location)
		}
	}
	return node, nil
}

func (r rewriting) instead(operator *ast.Term) *ast.Term {
	name, is := r.builtin(operator)
	if !is {
		return operator
	}
	r.used[name] = true
	ref := strictPath.Copy().Append(ast.StringTerm(functionName(r.prefix, name)))
	return ast.NewTerm(ref).SetLocation(operator.Location)
}

func (r rewriting) builtin(operator *ast.Term) (string, bool) {
	var first ast.Var
	switch value := operator.Value.(type) {
	case ast.Var:
		first = value
	case ast.Ref:
		first, _ = value[0].Value.(ast.Var)
	default:
		return "", false
	}
	name := operator.Value.String()
	_, is := hostAnswers[name]
	if r.prefix == callPrefix && !is {
		_, is = strictBuiltins[name]
	}
	return name, is && !r.others[first]
}

// verify asks OPA's walker, which enters everything, whether its transformer has entered everything too.
func (r rewriting) verify(module *ast.Module) error {
	var missed error
	look := func(operator *ast.Term) {
		if name, is := r.builtin(operator); is {
			missed = fmt.Errorf("%v: a call of %s was not made strict", operator.Location, name)
		}
	}
	for _, rule := range module.Rules {
		ast.WalkExprs(rule, func(one *ast.Expr) bool {
			if terms, is := one.Terms.([]*ast.Term); is {
				look(terms[0])
			}
			return false
		})
		ast.WalkTerms(rule, func(one *ast.Term) bool {
			if call, is := one.Value.(ast.Call); is {
				look(call[0])
			}
			return false
		})
	}
	return missed
}

func functionName(prefix, builtin string) string {
	return prefix + strings.ReplaceAll(builtin, ".", "_")
}

// helpers are what the conditions of strictlist.go say. A host of OPA's has no value for hosted.
const helpers = `
is_empty([]) = true

is_empty(set()) = true

hosted { ` + failedBuiltin + `("hosted", object.get({"operands": []}, "operands", null)) }

is_unusual(a, _) { contains(a, ":") }

is_unusual(a, _) { contains(a, "+") }

is_unusual(_, b) { contains(b, ":") }

is_unusual(_, b) { contains(b, "+") }

is_exponential(a) { contains(lower(a), "e") }
`

// strictText is Rego of version 0, in which the old built-ins may still be called. A call that succeeds never leaves the
// module, unless the host answers for it; `false` is a value too.
func strictText(strict, answered []string) string {
	text := strings.Builder{}
	text.WriteString("package " + strictPackage + "\n" + helpers)
	for _, name := range answered {
		writeFunction(&text, answerPrefix, name, "")
	}
	for _, name := range strict {
		writeFunction(&text, callPrefix, name, failureOf(name))
	}
	return text.String()
}

// failureOf is what stands after the call of the built-in: its answer where the module wrongly has none, and the failure.
func failureOf(name string) string {
	if _, fails := strictBuiltins[name]; !fails {
		return ""
	}
	unless := ""
	if condition := strictBuiltins[name]; condition != "" {
		unless = "not " + condition + "; "
	}
	answer := ""
	if known := strictAnswers[name]; known != "" {
		answer = " else = " + known
	}
	var kinds []string
	for _, operand := range operandsOf(name) {
		kinds = append(kinds, "type_name("+operand+")")
	}
	return fmt.Sprintf("%s else = f { %sf := %s(%q, concat(\", \", [%s])) }",
		answer, unless, failedBuiltin, name, strings.Join(kinds, ", "))
}

// writeFunction writes the function for a built-in. Where the host is to answer, nothing else is tried.
func writeFunction(text *strings.Builder, prefix, name, failure string) {
	list := strings.Join(operandsOf(name), ", ")
	head := functionName(prefix, name) + "(" + list + ")"
	call := fmt.Sprintf("r := %s(%s)", name, list)
	condition, asks := hostAnswers[name]
	if !asks {
		fmt.Fprintf(text, "\n%s = r { %s }%s\n", head, call, failure)
		return
	}
	asked := "asks_" + head
	fmt.Fprintf(text, "\n%s { %s; hosted }\n", asked, condition)
	fmt.Fprintf(text, "\n%s = r { not %s; %s }", head, asked, call)
	fmt.Fprintf(text, " else = r { %s; r := %s(%q, object.get({\"operands\": [%s]}, \"operands\", null)) }",
		asked, failedBuiltin, name, list)
	text.WriteString(strings.ReplaceAll(failure, "else = f { ", "else = f { not "+asked+"; ") + "\n")
}

func operandsOf(name string) []string {
	var operands []string
	for index := range ast.BuiltinMap[name].Decl.Arity() {
		operands = append(operands, fmt.Sprintf("a%d", index))
	}
	return operands
}

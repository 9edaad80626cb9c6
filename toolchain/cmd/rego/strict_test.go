package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
)

func strictly(text string) request {
	return request{
		Files:       []file{{Path: "p.rego", Text: "package p\n\n" + text, StrictBuiltinErrors: true}},
		Entrypoints: []string{"p/answer"}, Strict: true,
	}
}

// importsOf lists all that the module calls on its host, failedBuiltin among them.
func importsOf(t *testing.T, r request) []string {
	t.Helper()
	wasm, err := base64.StdEncoding.DecodeString(must[compilation](t, compileWasm, r).Wasm)
	if err != nil {
		t.Fatal(err)
	}
	names, err := hostBuiltins(wasm)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestEveryBuiltinOfAModuleIsStrictOrLeftOutForAReason(t *testing.T) {
	text := strings.Builder{}
	text.WriteString("package p\n")
	host := []string{}
	for _, one := range ast.CapabilitiesForThisVersion().Builtins {
		_, strict := strictBuiltins[one.Name]
		reason := unwrappedBuiltins[one.Name]
		if strict && reason != "" {
			t.Errorf("%s is in both lists", one.Name)
		}
		if reason == noFunction || one.Relation {
			continue
		}
		operands := strings.Join(slices.Repeat([]string{"input.x"}, one.Decl.Arity()), ", ")
		fmt.Fprintf(&text, "answer[%q] = x { x := %s(%s) }\n", one.Name, one.Name, operands)
		if !strict && reason == "" {
			host = append(host, one.Name)
		}
	}
	slices.Sort(host)
	r := request{
		Files:       []file{{Path: "p.rego", Text: text.String(), RegoVersion: "v0"}},
		Entrypoints: []string{"p/answer"},
	}
	if names := importsOf(t, r); !slices.Equal(names, host) {
		t.Errorf("the host is asked for\n%v\nand is to bring what no list has\n%v", names, host)
	}
}

func TestTheListsNameOnlyBuiltinsAndTheirFunctionsDiffer(t *testing.T) {
	functions := map[string]bool{}
	for _, name := range append(util.KeysSorted(strictBuiltins), util.KeysSorted(unwrappedBuiltins)...) {
		if ast.BuiltinMap[name] == nil {
			t.Errorf("OPA has no %s", name)
		}
		if functions[functionName(callPrefix, name)] {
			t.Errorf("%s has the function of another", name)
		}
		functions[functionName(callPrefix, name)] = true
	}
}

func TestCallsAreMadeStrictWhereverTheyStand(t *testing.T) {
	for _, text := range []string{
		`answer if to_number(input.x) > 1`,
		`answer := 1 + input.x`,
		`answer contains lower(input.x)`,
		`answer[lower(input.x)] := 1`,
		`answer := {lower(input.x), "a"}`,
		`answer := {lower(input.x): [upper(input.x)]}`,
		`answer := [y | some y in split(input.x, ",")]`,
		`answer if { some y in split(input.x, ","); y == "a" }`,
		`answer if every y in split(input.x, ",") { y == "a" }`,
		`answer if every y in input.x { lower(y) == "a" }`,
		`answer if not startswith(input.x, "a")`,
		`answer if lower(input.x) == "a" with input.x as 1`,
		`answer if input.x == "a" with input.x as lower(input.y)`,
		`answer if input.y else := lower(input.x)`,
		"f(x) := lower(x)\n\nanswer := f(input.x)",
		"default answer := {y | y := lower(input.x)}",
		"answer if count(input.x, 3)",
		`answer := $"a {lower(input.x)}"`,
		"import input.lower as lower_one\n\nanswer := lower(lower_one)",
		"import future.keywords.contains\n\nanswer if contains(input.x, \"a\")",
	} {
		if names := importsOf(t, strictly(text)); !slices.Equal(names, []string{failedBuiltin}) {
			t.Errorf("%s asks its host for %v", text, names)
		}
	}
}

func TestOwnFunctionsAndOtherFilesAreLeftAsTheyAre(t *testing.T) {
	own := strictly("lower(x) := x if x != \"b\"\n\nanswer := lower(input.x)")
	imported := strictly("import data.q.lower\n\nanswer := lower(input.x)")
	imported.Files = append(imported.Files, file{Path: "q.rego", Text: "package q\n\nlower(x) := x if x != \"b\""})
	silent := strictly("answer := lower(input.x)")
	silent.Files[0].StrictBuiltinErrors = false
	for _, r := range []request{own, imported, silent} {
		if names := importsOf(t, r); len(names) != 0 {
			t.Errorf("%s asks its host for %v", r.Files[0].Text, names)
		}
	}
	if builtins := must[compilation](t, compileWasm, strictly("answer := lower(input.x)")).Builtins; len(builtins) != 0 {
		t.Errorf("the policies are said to call %v", builtins)
	}
}

func TestWhatWouldHideAFailureIsRefusedAtItsPlace(t *testing.T) {
	for text, where := range map[string]string{
		`answer := sluice_failed("x", [])`:                                  "rego-type p.rego:3",
		"answer := data.sluice.strict.call_lower(input.x)":                  "rego-type p.rego:3",
		"f(x) := x\n\nanswer if f(input.x) with f as lower":                 "rego-compile p.rego:5",
		"f(x) := x\n\nanswer if f(input.x) with f as json.unmarshal":        "rego-compile p.rego:5",
		"answer if to_number(input.x) > 1\n\nanswer if startswith(1, \"\")": "rego-type p.rego:5",
	} {
		expect(t, refused(t, compileWasm, strictly(text)), []string{where})
	}
	own := strictly(`answer := rego.parse_module(input.x, lower(input.x))`)
	expect(t, must[compilation](t, compileWasm, own).Builtins, []string{failedBuiltin})
	own.DeniedBuiltins = []string{failedBuiltin}
	expect(t, refused(t, compileWasm, own), []string{"rego-unsafe-builtin p.rego:3"})
	for _, text := range []string{
		"package sluice.strict\n\ncall_lower(_) := 1", "package sluice\n\nstrict.call_lower(_) := 1",
		"package sluice\n\nstrict := 1", "package sluice.strict.more\n\nx := 1",
	} {
		r := strictly("answer := lower(input.x)")
		r.Files = append(r.Files, file{Path: "q.rego", Text: text})
		expect(t, refused(t, compileWasm, r), []string{"rego-compile q.rego:3"})
	}
}

func TestAReplacedBuiltinIsTheReplacement(t *testing.T) {
	r := strictly("f(x) := x\n\nanswer if lower(input.x) with lower as f")
	if names := importsOf(t, r); len(names) != 0 {
		t.Errorf("%v", names)
	}
}

func TestDataThatReplacesTheFunctionsDoesNotMakeThemSilent(t *testing.T) {
	refused(t, compileWasm, strictly("answer if lower(input.x) with data as {}"))
}

func TestWhatModulesAnswerOtherwiseIsAskedOfTheHost(t *testing.T) {
	for text, asks := range map[string]bool{
		`answer := json.unmarshal(input.x)`:                  true,
		`answer if not json.is_valid(input.x)`:               true,
		`answer := concat(", ", input.x)`:                    true,
		`answer := [y | y := json.marshal(input.x[_])]`:      true,
		`answer := lower(input.x)`:                           false,
		`answer if to_number(input.x) > 1`:                   true,
		"concat(x, _) := x\n\nanswer := concat(input.x, [])": false,
	} {
		r := strictly(text)
		r.Files[0].StrictBuiltinErrors, r.Files[0].HostAnswers = false, true
		if names := importsOf(t, r); slices.Contains(names, failedBuiltin) != asks {
			t.Errorf("%s asks its host for %v", text, names)
		}
		if builtins := must[compilation](t, compileWasm, r).Builtins; len(builtins) != 0 {
			t.Errorf("the policies are said to call %v", builtins)
		}
	}
	for name := range hostAnswers {
		if ast.BuiltinMap[name] == nil {
			t.Errorf("OPA has no %s", name)
		}
	}
}

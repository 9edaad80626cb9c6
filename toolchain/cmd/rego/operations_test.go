package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice.dev/toolchain/internal/lock"
	"sluice.dev/toolchain/internal/serve"
)

const privileged = `# METADATA
# title: Containers are not privileged
# custom:
#   id: k8s-privileged
#   match: {kinds: [Pod]}
package sluice.kubernetes.privileged

import data.settings.exempt

default quiet := false

deny contains {"message": message} if {
	some container in input.pod.containers
	not container.name in exempt
	message := sprintf("container %q", [container.name])
}
`

const privilegedTest = `package sluice.kubernetes.privileged_test

import data.sluice.kubernetes.privileged

test_denies if count(privileged.deny) == 1 with input as {"pod": {"containers": [{"name": "a"}]}} with data.settings.exempt as []

test_wrong if {
	print("seen")
	count(privileged.deny) == 1
}

todo_test_later if false
`

func policyFiles() []file {
	return []file{{Path: "privileged.rego", Text: privileged}, {Path: "privileged_test.rego", Text: privilegedTest}}
}

func policy(text string) []file { return []file{{Path: "p.rego", Text: "package p\n\n" + text}} }

func must[T any](t *testing.T, operation serve.Operation[request], r request) T {
	t.Helper()
	result, err := operation(r)
	if err != nil {
		t.Fatal(err)
	}
	typed, ok := result.(T)
	if !ok {
		t.Fatalf("result is %T", result)
	}
	return typed
}

// refused runs an operation that must fail, and returns "code file:line" of each error.
func refused(t *testing.T, operation serve.Operation[request], r request) []string {
	t.Helper()
	_, err := operation(r)
	var problems serve.Errors
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("not refused: %v", err)
	}
	var short []string
	for _, one := range problems {
		place := orZero(one.File)
		if one.Line != nil {
			place += ":" + string(rune('0'+*one.Line))
		}
		short = append(short, strings.TrimSpace(one.Code+" "+place))
	}
	return short
}

func expect(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
}

func TestHelloNamesVersionsAndBuiltins(t *testing.T) {
	answer := hello(lock.Status{Sandbox: "none", Detail: "test"})
	if answer.OPA != "1.22.0" || answer.Protocol != 1 || !slices.Contains(answer.Builtins, "http.send") ||
		!slices.IsSorted(answer.Builtins) {
		t.Fatalf("%+v", answer)
	}
}

func TestInspectTellsPackageRulesAndAnnotations(t *testing.T) {
	modules := must[inspection](t, inspect, request{Files: policyFiles()}).Modules
	expect(t, len(modules), 2)
	first := modules[0]
	expect(t, first.Package, "sluice.kubernetes.privileged")
	expect(t, first.Line, 6)
	expect(t, first.Rules, []rule{{"quiet", 10, true}, {"deny", 12, false}})
	expect(t, first.Imports, []importLine{{"data.settings.exempt", "", 8}})
	expect(t, first.RegoVersion, "v1")
	expect(t, first.Annotations[0].Target, "data.sluice.kubernetes.privileged")
	expect(t, first.Annotations[0].Scope, "package")
	expect(t, first.Annotations[0].Custom["id"], "k8s-privileged")
}

func TestInspectRefusesMetadataThatIsNotJSON(t *testing.T) {
	files := []file{{Path: "a.rego", Text: "# METADATA\n# custom:\n#   limit: .inf\npackage a\n"}}
	expect(t, refused(t, inspect, request{Files: files}), []string{"rego-parse a.rego:1"})
}

var schemas = map[string]json.RawMessage{
	"input": json.RawMessage(`{"type":"object","properties":{"resource":{"type":"object"},"pod":{"type":"object"}},
		"additionalProperties":false}`),
	"change": json.RawMessage(`{"type":"object","properties":{"change":{"type":"object"}},"additionalProperties":false}`),
}

func TestCheckFindsAMisspeltFieldOfTheInput(t *testing.T) {
	files := policy("x if input.resorce.kind == \"Pod\"\n")
	expect(t, refused(t, check, request{Files: files, Schemas: schemas}), []string{"rego-type p.rego:3"})
	must[struct{}](t, check, request{Files: files})
	must[struct{}](t, check, request{Files: policy("x if input.resource.kind == \"Pod\"\n"), Schemas: schemas})
}

func TestCheckHoldsEachFileAgainstItsOwnSchema(t *testing.T) {
	files := []file{{Path: "a.rego", Text: "package a\nx if input.pod.name"}, {Path: "b.rego", Text: "package b\nx if input.change.base"}}
	change := "change"
	must[struct{}](t, check, request{Files: files, Schemas: schemas, SchemaByFile: map[string]*string{"b.rego": &change}})
	must[struct{}](t, check, request{Files: files, Schemas: schemas, SchemaByFile: map[string]*string{"b.rego": nil}})
	expect(t, refused(t, check, request{Files: files, Schemas: schemas}), []string{"rego-type b.rego:2"})
	expect(t, refused(t, check, request{Files: files, Schemas: schemas,
		SchemaByFile: map[string]*string{"a.rego": &change}}), []string{"rego-type a.rego:2", "rego-type b.rego:2"})
	other := "other"
	expect(t, refused(t, check, request{Files: files, Schemas: schemas,
		SchemaByFile: map[string]*string{"a.rego": &other}}), []string{"bad-request"})
	expect(t, refused(t, check, request{Files: files, Schemas: schemas,
		SchemaByFile: map[string]*string{"c.rego": &change}}), []string{"bad-request"})
}

func TestAFileSeesTheOthersWhicheverSchemaTheyHave(t *testing.T) {
	files := []file{{Path: "a.rego", Text: "package a\nx := data.b.y + 1"}, {Path: "b.rego", Text: "package b\ny := \"text\""}}
	change := "change"
	r := request{Files: files, Schemas: schemas, SchemaByFile: map[string]*string{"b.rego": &change}}
	expect(t, refused(t, check, r), []string{"rego-type a.rego:2"})
}

func TestCheckReportsTheErrorsOfAllFilesInOrder(t *testing.T) {
	files := []file{{Path: "z.rego", Text: "package z\nx if"}, {Path: "a.rego", Text: "package a\n\nx := ["}}
	problems := refused(t, check, request{Files: files})
	expect(t, problems[0], "rego-parse a.rego:3")
	expect(t, problems[len(problems)-1], "rego-parse z.rego:2")
	expect(t, refused(t, check, request{Files: policy("x if y\n")}), []string{"rego-compile p.rego:3"})
	expect(t, refused(t, check, request{Files: policy("x if { a := 1 }\n"), Strict: true}), []string{"rego-compile p.rego:3"})
}

func TestCompileIsReproducibleAndKnowsItsNeeds(t *testing.T) {
	r := request{Files: policyFiles(), Entrypoints: []string{"sluice/kubernetes/privileged/deny"}}
	first := must[compilation](t, compileWasm, r)
	slices.Reverse(r.Files)
	second := must[compilation](t, compileWasm, r)
	expect(t, first, second)
	wasm, err := base64.StdEncoding.DecodeString(first.Wasm)
	if err != nil || !strings.HasPrefix(string(wasm), wasmHeader) {
		t.Fatalf("not a module: %v", err)
	}
	expect(t, first.Builtins, []string{"sprintf"})
	expect(t, first.RequiredData, []string{"data.settings.exempt"})
	expect(t, first.Entrypoints, []string{"sluice/kubernetes/privileged/deny"})
}

// All built-ins at once: the module's own list is compared with the calls that were written down.
func TestCompileListsExactlyTheBuiltinsOfTheHost(t *testing.T) {
	text := "x := [sprintf(\"%v\", [1]), time.now_ns(), count([1]), uuid.rfc4122(\"k\"), upper(\"a\"), regex.replace(\"a\", \"b\", \"c\")]\n"
	result := must[compilation](t, compileWasm, request{Files: policy(text), Entrypoints: []string{"p/x"}})
	expect(t, result.Builtins, []string{"regex.replace", "sprintf", "time.now_ns", "uuid.rfc4122"})
}

func TestCompileRefusesDeniedBuiltinsAtTheirLine(t *testing.T) {
	denied := []string{"http.send", "net.lookup_ip_addr"}
	for _, text := range []string{
		"x := http.send({\"url\": \"a\"})\n",
		"x if f(1)\nf(a) if { true; b := {http.send({\"url\": a})}; b }\n",
		"x if count([1]) == 1 with count as net.lookup_ip_addr\n",
	} {
		got := refused(t, compileWasm, request{Files: policy(text), Entrypoints: []string{"p/x"}, DeniedBuiltins: denied})
		if !strings.HasPrefix(got[0], "rego-unsafe-builtin p.rego:") {
			t.Fatalf("%q: %v", text, got)
		}
	}
	shadowed := []file{{Path: "p.rego", Text: "package p\nimport data.http\nx := http.send(1)"}, {Path: "h.rego", Text: "package http\nsend(a) := a"}}
	must[compilation](t, compileWasm, request{Files: shadowed, Entrypoints: []string{"p/x"}, DeniedBuiltins: denied})
}

func TestCompileChecksTypesAndEntrypoints(t *testing.T) {
	typo := request{Files: policy("x if input.resorce\n"), Schemas: schemas, Entrypoints: []string{"p/x"}}
	expect(t, refused(t, compileWasm, typo), []string{"rego-type p.rego:3"})
	expect(t, refused(t, compileWasm, request{Files: policy("x := 1"), Entrypoints: []string{"p/y"}}), []string{"rego-compile"})
	expect(t, refused(t, compileWasm, request{Files: policy("x := 1")}), []string{"rego-compile"})
	onlyTests := []file{{Path: "p_test.rego", Text: "package p\ntest_x if true"}}
	expect(t, refused(t, compileWasm, request{Files: onlyTests, Entrypoints: []string{"p/test_x"}}), []string{"bad-request"})
}

func TestTestRunsTheTestsAndCountsCoverage(t *testing.T) {
	report := must[testReport](t, runTests, request{Files: policyFiles(), Coverage: true})
	expect(t, len(report.Tests), 3)
	denies, wrong, later := report.Tests[0], report.Tests[1], report.Tests[2]
	expect(t, []bool{denies.Pass, denies.Fail, denies.Skip}, []bool{true, false, false})
	expect(t, []bool{wrong.Pass, wrong.Fail, wrong.Skip}, []bool{false, true, false})
	expect(t, []bool{later.Pass, later.Fail, later.Skip}, []bool{false, false, true})
	expect(t, wrong.Output, "seen\n")
	expect(t, denies.Package, "sluice.kubernetes.privileged_test")
	expect(t, denies.Line, 5)
	expect(t, len(report.Coverage.Files), 1)
	covered := report.Coverage.Files["privileged.rego"]
	expect(t, covered, fileCoverage{Covered: [][2]int{{12, 15}}, NotCovered: [][2]int{{10, 10}}})
	expect(t, report.Coverage.Percent, 80.0)

	one := must[testReport](t, runTests, request{Files: policyFiles(), Run: "denies$"})
	if len(one.Tests) != 1 || one.Coverage != nil {
		t.Fatalf("%+v", one)
	}
	expect(t, refused(t, runTests, request{Files: policyFiles(), Run: "("}), []string{"bad-request"})
}

const endless = "x if { some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i + j == 0 }\n"

func TestTheTimeoutEndsAnEndlessTestAndAnEndlessQuery(t *testing.T) {
	files := []file{{Path: "p_test.rego", Text: "package p\ntest_" + endless}}
	// A slow machine may not even have begun the test when so little time is over: that is refused.
	var report testReport
	for timeout := int64(50); len(report.Tests) == 0 && timeout < 100_000; timeout *= 4 {
		if answer, err := runTests(request{Files: files, TimeoutMs: timeout}); err == nil {
			report = answer.(testReport)
		}
	}
	if len(report.Tests) != 1 || report.Tests[0].Error == nil || report.Tests[0].Pass {
		t.Fatalf("%+v", report)
	}
	expect(t, refused(t, evaluate, request{Files: policy(endless), Query: "data.p.x", TimeoutMs: 50}), []string{"eval-error"})
}

func TestTestsThatWereNotBegunInTimeAreNoPass(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	stopped := "cancelled"
	if requireBegun(over, nil) == nil || requireBegun(over, []testResult{{Pass: true}}) == nil {
		t.Fatal("silence was taken for a pass")
	}
	if err := requireBegun(over, []testResult{{Pass: true}, {Error: &stopped}}); err != nil {
		t.Fatal(err)
	}
	if err := requireBegun(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestFmtWritesAsOPADoes(t *testing.T) {
	result := must[formatting](t, formatFiles, request{Files: []file{{Path: "a.rego", Text: "package a\nx:=1"}, {Path: "b.rego", Text: "package b\n"}}})
	expect(t, result.Files, []formattedFile{{"a.rego", "package a\n\nx := 1\n", true}, {"b.rego", "package b\n", false}})
	expect(t, refused(t, formatFiles, request{Files: policy("x := [")})[0], "rego-parse p.rego:3")
}

func TestEvalTellsUndefinedFromFalseAndNull(t *testing.T) {
	files := policy("f := false\nn := null\nu if input.missing\nv := input\n")
	for query, want := range map[string]evaluation{
		"data.p.f": {Defined: true, Value: false},
		"data.p.n": {Defined: true, Value: nil},
		"data.p.u": {Defined: false, Value: nil},
		"data.p.v": {Defined: false, Value: nil}, // no input was given
	} {
		got := must[evaluation](t, evaluate, request{Files: files, Query: query})
		expect(t, []any{got.Defined, got.Value}, []any{want.Defined, want.Value})
	}
	given := must[evaluation](t, evaluate, request{Files: files, Query: "data.p.v", Input: json.RawMessage("null")})
	expect(t, given.Defined, true)
}

func TestEvalKeepsNumbersSortsSetsAndUsesTheGivenTime(t *testing.T) {
	now := "1700000000000000001"
	r := request{Query: `x := [1.10, 123456789012345678901234567890, {3, 1, 2}, time.now_ns(), time.clock([0, "Europe/Berlin"])]`, TimeNs: &now}
	value, err := json.Marshal(must[evaluation](t, evaluate, r).Bindings[0]["x"])
	if err != nil {
		t.Fatal(err)
	}
	expect(t, string(value), `[1.10,123456789012345678901234567890,[1,2,3],1700000000000000001,[1,0,0]]`)
}

func TestEvalExplainsWithPositionsAndLocals(t *testing.T) {
	files := policy("x if {\n\ty := input.a\n\ty == 2\n}\n")
	r := request{Files: files, Query: "data.p.x", Input: json.RawMessage(`{"a":1}`), Explain: "fails"}
	events := must[evaluation](t, evaluate, r).Explanation
	found := slices.ContainsFunc(events, func(e event) bool {
		return e.Op == "Fail" && e.File == "p.rego" && e.Line == 5 && e.Locals["y"] == "1"
	})
	if !found {
		t.Fatalf("%+v", events)
	}
	expect(t, must[evaluation](t, evaluate, request{Files: files, Query: "data.p.x"}).Explanation, []event{})
	expect(t, refused(t, evaluate, request{Query: "true", Explain: "loud"}), []string{"bad-request"})
}

func TestNoBuiltinReachesTheNetwork(t *testing.T) {
	refuseNetwork()
	for _, query := range []string{`http.send({"method": "get", "url": "http://127.0.0.1:9"})`, `net.lookup_ip_addr("localhost")`} {
		_, err := evaluate(request{Query: query, StrictBuiltinErrors: true})
		if err == nil || !strings.Contains(err.Error(), errNoNetwork.Error()) {
			t.Fatalf("%s: %v", query, err)
		}
	}
	mocked := []file{{Path: "p_test.rego", Text: "package p\nmock(_) := {\"a\": 1}\ntest_x if http.send({}).a == 1 with http.send as mock"}}
	expect(t, must[testReport](t, runTests, request{Files: mocked}).Tests[0].Pass, true)
}

func TestYAMLIsReadAsKubernetesDoesEachDocumentByItself(t *testing.T) {
	results := must[yamlResults](t, readYAML, request{Documents: []string{"a: 010", "a: [", "a: yes\nb: 1_000", "a: 12:30:45"}}).Results
	expect(t, *results[0].JSON, `{"a":8}`)
	if results[1].Error == nil || results[1].JSON != nil {
		t.Fatalf("%+v", results[1])
	}
	expect(t, *results[2].JSON, `{"a":true,"b":1000}`)
	expect(t, *results[3].JSON, `{"a":"12:30:45"}`)
}

func TestBoundsOfFilesAreRefused(t *testing.T) {
	many := make([]file, maxFiles+1)
	for i := range many {
		many[i].Path = "a" + time.Duration(i).String()
	}
	large := []file{{Path: "a.rego", Text: strings.Repeat(" ", maxTotalBytes)}, {Path: "b.rego", Text: " "}}
	for _, files := range [][]file{
		many, large, {{Path: "", Text: ""}}, {{Path: "/a.rego", Text: ""}}, {{Path: "../a.rego", Text: ""}}, {{Path: "a/../b.rego", Text: ""}}, {{Path: "a\x00.rego", Text: ""}},
		{{Path: "a\\b.rego", Text: ""}}, {{Path: "a.rego", Text: "package a"}, {Path: "a.rego", Text: "package b"}}, {{Path: strings.Repeat("a", maxPathBytes+1), Text: ""}},
	} {
		expect(t, refused(t, check, request{Files: files}), []string{"bad-request"})
	}
	expect(t, refused(t, check, request{Files: policy(""), RegoVersion: "v9"}), []string{"bad-request"})
	expect(t, refused(t, evaluate, request{Query: "true", Data: json.RawMessage("[]")}), []string{"bad-request"})
	expect(t, refused(t, evaluate, request{Query: "true", TimeoutMs: -1}), []string{"bad-request"})
	expect(t, refused(t, evaluate, request{Query: strings.Repeat("[", 1001)}), []string{"nesting query:1"})
}

func TestOldRegoIsReadWhenAskedFor(t *testing.T) {
	files := []file{{Path: "a.rego", Text: "package a\ndeny[m] { m := input.x }"}}
	must[struct{}](t, check, request{Files: files, RegoVersion: "v0"})
	if got := refused(t, check, request{Files: files}); got[0] != "rego-parse a.rego:2" {
		t.Fatal(got)
	}
}

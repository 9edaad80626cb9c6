package main

import (
	"strings"
	"testing"

	"sluice.dev/toolchain/internal/serve"
)

func imported(path, text string, renames ...string) file {
	one := file{Path: path, Text: text, RegoVersion: "v0", Lenient: true, Rename: map[string]string{}}
	for i := 0; i < len(renames); i += 2 {
		one.Rename[renames[i]] = renames[i+1]
	}
	return one
}

const twin = "package twin\n\nimport data.lib.text\n\nviolation[{\"msg\": m}] {\n\tinput.no\n\tm := text.say(\"%s\")\n}\n"

func twinLibrary(word string) string {
	return "package lib.text\n\nsay(x) = y { y := sprintf(x, [\"" + word + "\"]) }\n"
}

func twins() []file {
	files := []file{}
	for _, name := range []string{"a", "b"} {
		renames := []string{"twin", "own." + name + ".main", "lib.text", "own." + name + ".lib.text"}
		files = append(files, imported(name+".rego", twin, renames...),
			imported(name+"-lib.rego", twinLibrary(name), renames...))
	}
	return files
}

func TestTwoPoliciesOfOnePackageAreTwo(t *testing.T) {
	for query, want := range map[string]string{"data.own.a.main.violation": "a", "data.own.b.main.violation": "b"} {
		answer := must[evaluation](t, evaluate, request{Files: twins(), Query: query, Input: []byte(`{"no": true}`)})
		said, isList := answer.Value.([]any)
		if !isList || len(said) != 1 || said[0].(map[string]any)["msg"] != want {
			t.Errorf("%s: %v", query, answer.Value)
		}
	}
	built := must[compilation](t, compileWasm, request{Files: twins(), Strict: true,
		Entrypoints: []string{"own/a/main/violation", "own/b/main/violation"}})
	if len(built.Entrypoints) != 2 || len(built.RequiredData) != 0 {
		t.Errorf("%v %v", built.Entrypoints, built.RequiredData)
	}
}

func TestWhatIsNotGivenIsNotRead(t *testing.T) {
	const head = "package p\n\n"
	for text, want := range map[string]string{
		"x { data.secret.y }":           "data.secret.y is not",
		"x { data[_].y }":               "data[_].y is not",
		"x { walk(data, y) }":           "data is not",
		"x { y := data }":               "data is not",
		"f(data) = y { y := data.z }":   "data",
		"import data.secret":            "data.secret is not",
		"x { data.px.y }":               "data.px.y is not",
		"x { y := {z | z := data.q} }":  "data.q is not",
		"x { 1 == 2 with data.q as 1 }": "data.q is not",
	} {
		_, err := check(request{Files: []file{imported("p.rego", head+text, "p", "own.p")}})
		refused, _ := err.(serve.Errors)
		if len(refused) == 0 || refused[0].Code != codeData && refused[0].Code != codeCompile ||
			refused[0].Line == nil || *refused[0].Line != 3 || !strings.Contains(refused[0].Message, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	ok := "x { data.inventory.a; data.p.z; y := input; y.data.q }\nz = 1"
	if _, err := check(request{Files: []file{imported("p.rego", head+ok, "p", "own.p", "inventory", "own.inventory")}}); err != nil {
		t.Error(err)
	}
}

func TestEitherVersion(t *testing.T) {
	for text, want := range map[string]string{
		"package p\n\nx if input.y\n":   "v1",
		"package p\n\nx { input.y }\n":  "v0",
		"package p\n\nx {{ input.y }\n": "",
	} {
		result, err := inspect(request{Files: []file{{Path: "p.rego", Text: text, RegoVersion: "either"}}})
		if (err != nil) != (want == "") {
			t.Errorf("%q: %v", text, err)
		} else if err == nil && result.(inspection).Modules[0].RegoVersion != want {
			t.Errorf("%q: %v", text, result)
		}
	}
	if _, err := inspect(request{Files: []file{{Path: "p.rego", RegoVersion: "v2"}}}); err == nil {
		t.Error("v2 is a version")
	}
}

func TestLenientFilesAreNotHeldToStrictMode(t *testing.T) {
	const unused = "package p\n\nx if {\n\ty := 1\n}\n"
	for _, lenient := range []bool{true, false} {
		_, err := check(request{Strict: true, Files: []file{{Path: "p.rego", Text: unused, Lenient: lenient}}})
		if (err == nil) != lenient {
			t.Errorf("%v: %v", lenient, err)
		}
	}
}

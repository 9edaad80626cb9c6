package main

import (
	"encoding/json"
	"strings"
	"testing"
)

const given = `"{\"shop\":{\"allowed\":[\"a\"],\"limit\":123456789012345678901234567890,\"a.b\":{\"c\":1}}}"`

func compiling(text, data string) request {
	return request{Files: []file{{Path: "p.rego", Text: "package p\n\n" + text}},
		Data: json.RawMessage(data), Strict: true, Entrypoints: []string{"p/x"}}
}

func TestDataIsReadFromATextWithNumbersOfAnySize(t *testing.T) {
	answer := must[evaluation](t, evaluate, request{Query: "data.shop.limit", Data: json.RawMessage(given)})
	if number, isNumber := answer.Value.(json.Number); !isNumber || number.String() != "123456789012345678901234567890" {
		t.Fatalf("%v", answer.Value)
	}
	expect(t, refused(t, evaluate, request{Query: "true", Data: json.RawMessage(`"[]"`)}), []string{"bad-request"})
	expect(t, refused(t, evaluate, request{Query: "true", Data: json.RawMessage(`"{} {}"`)}), []string{"bad-request"})
}

func TestWhatTheDataHasIsNotRequired(t *testing.T) {
	for text, want := range map[string]string{
		`x if data.shop.allowed[_] == "a"`:    "",
		`x if data.shop[input.name] == 1`:     "",
		`x if data.shop["a.b"].c == 1`:        "",
		`x if data.shopping.allowed`:          "data.shopping.allowed",
		`x if data.sluice[input.name].a == 1`: "data.sluice",
	} {
		built := must[compilation](t, compileWasm, compiling(text, given))
		if got := strings.Join(built.RequiredData, ","); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestAMisspeltNameIsAnErrorInNativePoliciesAlone(t *testing.T) {
	const text = "x if data.shop.alowed[_] == \"a\""
	expect(t, refused(t, compileWasm, compiling(text, given)), []string{"rego-compile p.rego:3"})
	other := compiling(text, given)
	other.Files[0].Lenient = true
	must[compilation](t, compileWasm, other)
	for _, text := range []string{
		`x if data.shop.alowed with data.shop.alowed as ["a"]`,
		"x if y with data.shop as {}\ny if data.shop.alowed",
	} {
		must[compilation](t, compileWasm, compiling(text, given))
	}
	ruled := request{Files: []file{{Path: "a.rego", Text: "package shop.own\n\nx := 1\n"}, {Path: "p.rego", Text: "package p\n\nx if data.shop.own.x\n"}},
		Data: json.RawMessage(given), Entrypoints: []string{"p/x"}}
	must[compilation](t, compileWasm, ruled)
}

func TestARuleAndAValueAtOnePathAreAConflictAsInOPA(t *testing.T) {
	for text, want := range map[string][]string{
		"package shop\n\nallowed := 1\n":              {"rego-data-conflict p.rego:3"},
		"package shop.allowed\n\nx := 1\n":            {"rego-data-conflict p.rego:3"},
		"package shop\n\nallowed contains 1\n":        {"rego-data-conflict p.rego:3"},
		"package shop[\"a.b\"]\n\nc := 1\n":           {"rego-data-conflict p.rego:3"},
		"package shop[\"a.b\"]\n\nd := 1\n":           nil,
		"package shop\n\nother if input.x\n":          nil,
		"package shop\n\nf(allowed) := allowed + 1\n": nil,
	} {
		r := request{Files: []file{{Path: "p.rego", Text: text}}, Data: json.RawMessage(given)}
		if want == nil {
			must[struct{}](t, check, r)
			continue
		}
		expect(t, refused(t, check, r), want)
	}
}

func TestANameWithADotIsRenamedAsOne(t *testing.T) {
	one := imported("p.rego", "package p\n\nx { data[\"a.b\"].c }\n", "p", "own.p", `["a.b"]`, `["own","a.b"]`)
	built := must[compilation](t, compileWasm, request{Files: []file{one}, Entrypoints: []string{"own/p/x"}})
	expect(t, built.RequiredData, []string{`data.own["a.b"].c`})
}

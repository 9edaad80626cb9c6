package main

import (
	"strings"
	"testing"
)

func TestNestingIsFoundWhereverItHides(t *testing.T) {
	deep := strings.Repeat("[", maxNesting+1)
	for name, text := range map[string]string{
		"plain":                        "x := " + deep,
		"mixed":                        strings.Repeat("[({", maxNesting/3+1),
		"closed by comments":           strings.Repeat("[ # ]\n", maxNesting+1),
		"closed by strings":            strings.Repeat(`["]",`, maxNesting+1),
		"closed by raw strings":        strings.Repeat("[`]`,", maxNesting+1),
		"after an escaped quote":       `x := "\"]" ` + deep,
		"after an escaped backslash":   `x := "\\" ` + deep,
		"in a template string":         `x := $"a {` + deep,
		"in nested template strings":   strings.Repeat(`$"{`, maxNesting+1),
		"in a raw template string":     "x := $`\\` " + deep,
		"after an escaped brace":       `x := $"\{" ` + deep,
		"after an unfinished string":   "x := \"abc\n" + deep,
		"after surplus closing ones":   "]]]]]]" + deep,
		"after a template, same depth": `x := [$"{a}", ` + deep,
	} {
		if _, _, found := nestedTooDeep(text); !found {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestHarmlessTextIsNotTooDeep(t *testing.T) {
	deep := strings.Repeat("[", maxNesting+1)
	for name, text := range map[string]string{
		"at the limit":            strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting),
		"many in a row":           strings.Repeat("[]{}()", maxNesting),
		"in a string":             `x := "` + deep + `"`,
		"in a raw string":         "x := `\n" + deep + "`",
		"in a comment":            "# " + deep + "\n",
		"templates in a row":      strings.Repeat(`$"{[a]} {b}" `, maxNesting),
		"escaped in a template":   `x := $"` + strings.Repeat(`\{`, maxNesting+1) + `"`,
		"quote inside raw string": "x := `\"` " + strings.Repeat("[]", maxNesting),
	} {
		if line, column, found := nestedTooDeep(text); found {
			t.Errorf("%s: found at %d:%d", name, line, column)
		}
	}
}

func TestNestingNamesItsPlace(t *testing.T) {
	line, column, found := nestedTooDeep("package a\n\nx := " + strings.Repeat("[", maxNesting+1))
	if !found || line != 3 || column != 5+maxNesting+1 {
		t.Fatalf("%d:%d, %v", line, column, found)
	}
}

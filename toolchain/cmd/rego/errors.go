package main

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/topdown"

	"sluice.dev/toolchain/internal/serve"
)

const (
	maxErrors       = 1000
	maxMessageBytes = 4000
)

func at(code, name string, line, column int, message string) serve.Error {
	return serve.Error{Code: code, Message: message, File: &name, Line: &line, Column: &column}
}

// place turns a position of OPA into ours; a part that OPA does not know is null.
func place(code, message string, location *ast.Location) serve.Error {
	problem := serve.Error{Code: code, Message: shorten(message)}
	if location == nil {
		return problem
	}
	if location.File != "" {
		problem.File = &location.File
	}
	if location.Row > 0 {
		problem.Line = &location.Row
	}
	if location.Col > 0 {
		problem.Column = &location.Col
	}
	return problem
}

func fromAST(problem *ast.Error) serve.Error {
	code := codeCompile
	switch problem.Code {
	case ast.ParseErr:
		code = codeParse
	case ast.TypeErr:
		code = codeType
	}
	if isConflict(problem) {
		code = codeDataConflict
	}
	return place(code, withDetails(problem), problem.Location)
}

// withDetails adds what OPA prints under a message (have, want, one of), without its drawings of the source line.
func withDetails(problem *ast.Error) string {
	message := problem.Message
	if problem.Details == nil || problem.Code == ast.ParseErr {
		return message
	}
	for _, line := range problem.Details.Lines() {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "have") || strings.HasPrefix(line, "want") {
			message += "; " + line
		}
	}
	return message
}

// fromCompiler unpacks whatever OPA's packages return; code is used for an error that has none of its own.
func fromCompiler(err error, code string) serve.Errors {
	var list ast.Errors
	if errors.As(err, &list) {
		var problems serve.Errors
		for _, one := range list {
			problems = append(problems, fromAST(one))
		}
		return sorted(problems)
	}
	var single *ast.Error
	if errors.As(err, &single) {
		return serve.Errors{fromAST(single)}
	}
	var evaluation *topdown.Error
	if errors.As(err, &evaluation) {
		return serve.Errors{place(codeEval, evaluation.Code+": "+evaluation.Message, evaluation.Location)}
	}
	var store *storage.Error
	if errors.As(err, &store) {
		return serve.Errors{place(codeEval, store.Message, nil)}
	}
	return serve.Errors{place(code, err.Error(), nil)}
}

// sorted puts errors into one order (file, line, column, code, message), drops repeats and bounds their number.
func sorted(problems serve.Errors) serve.Errors {
	slices.SortStableFunc(problems, compareErrors)
	problems = slices.CompactFunc(problems, func(a, b serve.Error) bool { return compareErrors(a, b) == 0 })
	return problems[:min(len(problems), maxErrors)]
}

func compareErrors(a, b serve.Error) int {
	return cmp.Or(
		cmp.Compare(orZero(a.File), orZero(b.File)), cmp.Compare(orZero(a.Line), orZero(b.Line)),
		cmp.Compare(orZero(a.Column), orZero(b.Column)), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message),
	)
}

func orZero[T any](pointer *T) T {
	var zero T
	if pointer == nil {
		return zero
	}
	return *pointer
}

func shorten(text string) string {
	if len(text) <= maxMessageBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxMessageBytes], "") + "…"
}

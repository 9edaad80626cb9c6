package main

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"sluice.dev/toolchain/internal/serve"
)

// foreverTimeout stands for "no timeout" with a tester that always wants one.
const foreverTimeout = 24 * time.Hour

type testReport struct {
	Tests    []testResult    `json:"tests"`
	Coverage *coverageReport `json:"coverage"`
}

type testResult struct {
	Package    string  `json:"package"` // without "data."
	Name       string  `json:"name"`
	File       string  `json:"file"`
	Line       int     `json:"line"`
	Pass       bool    `json:"pass"`
	Fail       bool    `json:"fail"`
	Skip       bool    `json:"skip"`
	Error      *string `json:"error"`
	DurationNs int64   `json:"durationNs"`
	Output     string  `json:"output"`
}

type coverageReport struct {
	Percent float64                 `json:"percent"` // of the lines of all files that are not tests
	Files   map[string]fileCoverage `json:"files"`
}

type fileCoverage struct {
	Covered    [][2]int `json:"covered"` // first and last line
	NotCovered [][2]int `json:"notCovered"`
}

// runTests runs the rules named test_* in all files. timeoutMs ends each test, and the whole run.
func runTests(r request) (any, error) {
	source, err := parse(r, r.Files)
	if err != nil {
		return nil, err
	}
	data, err := r.data()
	if err != nil {
		return nil, err
	}
	timeout, err := r.deadline()
	if err != nil {
		return nil, err
	}
	if _, err := regexp.Compile(r.Run); err != nil {
		return nil, serve.Refuse(serve.CodeBadRequest, "run is not a regular expression: %v", err)
	}
	if timeout == 0 {
		timeout = foreverTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var covered *cover.Cover
	if r.Coverage {
		covered = cover.New()
	}
	results, err := testResults(ctx, r, source, inmem.NewFromObject(data), timeout, covered)
	if err != nil {
		return nil, fromCompiler(err, codeEval)
	}
	report := testReport{Tests: results}
	if covered != nil {
		report.Coverage = coverage(covered, source.modules)
	}
	return report, nil
}

func testResults(ctx context.Context, r request, source parsed, store storage.Store, timeout time.Duration,
	covered *cover.Cover) ([]testResult, error) {
	transaction, err := store.NewTransaction(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Abort(ctx, transaction)
	compiler := newCompiler(source.version).WithEnablePrintStatements(true).WithStrict(r.Strict)
	runner := tester.NewRunner().
		SetCompiler(compiler).
		SetStore(store).
		SetModules(source.modules).
		SetTimeout(timeout).
		SetCoverageRuns(nil).
		CapturePrintOutput(true).
		RaiseBuiltinErrors(r.StrictBuiltinErrors).
		Filter(r.Run)
	if covered != nil {
		runner = runner.SetCoverageQueryTracer(covered)
	}
	channel, err := runner.RunTests(ctx, transaction)
	if err != nil {
		return nil, err
	}
	results := []testResult{}
	for one := range channel {
		results = append(results, toTestResult(one))
	}
	if err := requireBegun(ctx, results); err != nil {
		return nil, err
	}
	slices.SortFunc(results, func(a, b testResult) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name))
	})
	return results, nil
}

// requireBegun refuses results of a run whose time is over: a test that was not begun has none, and nobody may take its
// silence for a pass. A test that the end of the time stopped says so by its error.
func requireBegun(ctx context.Context, results []testResult) error {
	isStopped := func(one testResult) bool { return one.Error != nil }
	if ctx.Err() == nil || slices.ContainsFunc(results, isStopped) {
		return nil
	}
	return errors.New("the time for all tests was over before each of them began")
}

func toTestResult(one *tester.Result) testResult {
	result := testResult{
		Package: strings.TrimPrefix(one.Package, "data."), Name: one.Name, Pass: one.Pass(), Fail: one.Fail,
		Skip: one.Skip, DurationNs: one.Duration.Nanoseconds(), Output: strings.ToValidUTF8(string(one.Output), "�"),
	}
	if one.Location != nil {
		result.File, result.Line = one.Location.File, one.Location.Row
	}
	if one.Error != nil {
		message := shorten(one.Error.Error())
		result.Error = &message
	}
	return result
}

func coverage(covered *cover.Cover, modules map[string]*ast.Module) *coverageReport {
	report := &coverageReport{Files: map[string]fileCoverage{}}
	lines, reached := 0, 0
	for path, one := range covered.Report(modules).Files {
		if (file{Path: path}).isTest() || modules[path] == nil {
			continue
		}
		report.Files[path] = fileCoverage{Covered: lineRanges(one.Covered), NotCovered: lineRanges(one.NotCovered)}
		reached += one.CoveredLines
		lines += one.CoveredLines + one.NotCoveredLines
	}
	if lines > 0 {
		report.Percent = 100 * float64(reached) / float64(lines)
	}
	return report
}

// lineRanges joins the column-wise ranges of OPA, which come in order, to ranges of whole lines.
func lineRanges(ranges []cover.Range) [][2]int {
	lines := [][2]int{}
	for _, one := range ranges {
		first, last := one.Start.Row, one.End.Row
		if open := len(lines) - 1; open >= 0 && first <= lines[open][1]+1 {
			lines[open][1] = max(lines[open][1], last)
			continue
		}
		lines = append(lines, [2]int{first, last})
	}
	return lines
}

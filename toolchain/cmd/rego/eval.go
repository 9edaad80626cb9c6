package main

import (
	"context"
	"strconv"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"

	"sluice.dev/toolchain/internal/serve"
)

type evaluation struct {
	Defined     bool             `json:"defined"`
	Value       any              `json:"value"` // of the first expression of the first result, null when undefined
	Bindings    []map[string]any `json:"bindings"`
	Explanation []event          `json:"explanation"`
}

// evaluate answers a query with OPA's topdown evaluator: the reference that the WebAssembly modules are compared with.
func evaluate(r request) (any, error) {
	source, err := parse(r, r.Files)
	if err != nil {
		return nil, err
	}
	if nested, _, deep := nestedTooDeep(r.Query); deep {
		return nil, serve.Errors{at(codeNesting, "query", nested, 1, "brackets of the query are nested too deep")}
	}
	explain, err := explanationOf(r.Explain)
	if err != nil {
		return nil, err
	}
	options, err := evaluationOptions(r)
	if err != nil {
		return nil, err
	}
	prepared, cancel, err := prepare(r, source)
	if err != nil {
		return nil, err
	}
	defer cancel()
	tracer := &boundedTracer{}
	if explain != nil {
		// The index skips rules that cannot match, and with them the line that would say why.
		options = append(options, rego.EvalQueryTracer(tracer), rego.EvalRuleIndexing(false))
	}
	results, err := prepared.query.Eval(prepared.ctx, options...)
	if err != nil {
		return nil, fromCompiler(err, codeEval)
	}
	answer := evaluation{Bindings: []map[string]any{}, Explanation: []event{}}
	for _, one := range results {
		answer.Bindings = append(answer.Bindings, one.Bindings)
	}
	if len(results) > 0 && len(results[0].Expressions) > 0 {
		answer.Defined, answer.Value = true, results[0].Expressions[0].Value
	}
	if explain != nil {
		answer.Explanation = events(explain(tracer.events))
	}
	return answer, nil
}

type preparedQuery struct {
	query rego.PreparedEvalQuery
	ctx   context.Context
}

func prepare(r request, source parsed) (preparedQuery, context.CancelFunc, error) {
	data, err := r.data()
	if err != nil {
		return preparedQuery{}, nil, err
	}
	timeout, err := r.deadline()
	if err != nil {
		return preparedQuery{}, nil, err
	}
	compiler := newCompiler(source.version).WithStrict(r.Strict)
	if compiler.Compile(source.modules); compiler.Failed() {
		return preparedQuery{}, nil, fromCompiler(compiler.Errors, codeCompile)
	}
	ctx, cancel := context.Background(), func() {}
	if timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, timeout)
	}
	query, err := rego.New(
		rego.Query(r.Query), rego.Compiler(compiler), rego.Store(inmem.NewFromObject(data)),
		rego.Capabilities(capabilities()), rego.SetRegoVersion(source.version),
		rego.StrictBuiltinErrors(r.StrictBuiltinErrors),
	).PrepareForEval(ctx)
	if err != nil {
		cancel()
		return preparedQuery{}, nil, fromCompiler(err, codeCompile)
	}
	return preparedQuery{query: query, ctx: ctx}, cancel, nil
}

func evaluationOptions(r request) ([]rego.EvalOption, error) {
	options := []rego.EvalOption{rego.EvalSortSets(true)}
	if len(r.Input) > 0 {
		var input any
		if err := util.UnmarshalJSON(r.Input, &input); err != nil {
			return nil, serve.Refuse(serve.CodeBadRequest, "input is not JSON: %v", err)
		}
		value, err := ast.InterfaceToValue(input)
		if err != nil {
			return nil, serve.Refuse(serve.CodeBadRequest, "input cannot be used: %v", err)
		}
		options = append(options, rego.EvalParsedInput(value))
	}
	if r.TimeNs != nil {
		nanoseconds, err := strconv.ParseInt(*r.TimeNs, 10, 64)
		if err != nil {
			return nil, serve.Refuse(serve.CodeBadRequest, "timeNs is not an integer: %q", *r.TimeNs)
		}
		options = append(options, rego.EvalTime(time.Unix(0, nanoseconds)))
	}
	return options, nil
}

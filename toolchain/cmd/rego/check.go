package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"sluice.dev/toolchain/internal/serve"
)

// defaultSchema is the schema of a file that schemaByFile does not name; tests then have none, because they bring
// their own input.
const defaultSchema = "input"

// noSchema is the group of the files that are compiled without knowledge of their input, lenient the one of those among
// them that strict mode does not look at.
const (
	noSchema = ""
	lenient  = "\x00lenient"
)

func check(r request) (any, error) {
	source, err := parse(r, r.Files)
	if err != nil {
		return nil, err
	}
	data, err := r.data()
	if err != nil {
		return nil, err
	}
	if _, err := checkModules(r, source, data); err != nil {
		return nil, err
	}
	return struct{}{}, nil
}

// checkModules compiles all files once per schema in use. OPA knows only one input type per compilation, so each file
// is judged in the compilation that has its schema, and the other compilations' opinion of it is dropped. It returns
// one of the compilers: types apart they are the same.
func checkModules(r request, source parsed, data document) (*ast.Compiler, error) {
	groups, err := schemaGroups(r, source.files)
	if err != nil {
		return nil, err
	}
	var last *ast.Compiler
	problems := serve.Errors{}
	for _, name := range util.KeysSorted(groups) {
		compiler, err := compilerFor(r, source.version, name)
		if err != nil {
			return nil, err
		}
		last = compiler
		compiler.WithPathConflictsCheck(data.conflicts)
		compiler.Compile(source.modules)
		mine := groups[name]
		for _, problem := range compiler.Errors {
			if problem.Location == nil || !mine.others[problem.Location.File] {
				problems = append(problems, fromAST(problem))
			}
		}
		if !compiler.Failed() {
			problems = append(problems, deniedIn(compiler.Modules, r.DeniedBuiltins)...)
			problems = append(problems, data.missed(compiler, source.files)...)
		}
	}
	if len(problems) > 0 {
		return nil, sorted(problems)
	}
	return last, nil
}

// group is the set of files of one schema, kept as its complement: an error outside of every file concerns all groups.
type group struct{ others map[string]bool }

func schemaGroups(r request, files []file) (map[string]group, error) {
	schemaOf := map[string]string{}
	known := map[string]bool{}
	for _, one := range files {
		known[one.Path] = true
		schemaOf[one.Path] = noSchema
		if _, given := r.Schemas[defaultSchema]; given && !one.isTest() {
			schemaOf[one.Path] = defaultSchema
		}
		if one.Lenient {
			schemaOf[one.Path] = lenient
		}
	}
	for _, one := range r.Files { // compile leaves tests out, the request may still name them
		known[one.Path] = true
	}
	for _, path := range util.KeysSorted(r.SchemaByFile) {
		name := r.SchemaByFile[path]
		if !known[path] {
			return nil, serve.Refuse(serve.CodeBadRequest, "schemaByFile names %q, which is not among the files", path)
		}
		if name == nil {
			schemaOf[path] = noSchema
			continue
		}
		if _, given := r.Schemas[*name]; !given {
			return nil, serve.Refuse(serve.CodeBadRequest, "schemaByFile names the schema %q, which is not given", *name)
		}
		schemaOf[path] = *name
	}
	groups := map[string]group{}
	for _, one := range files {
		groups[schemaOf[one.Path]] = group{others: map[string]bool{}}
	}
	for name, members := range groups {
		for _, one := range files {
			if schemaOf[one.Path] != name {
				members.others[one.Path] = true
			}
		}
	}
	return groups, nil
}

func compilerFor(r request, version ast.RegoVersion, schema string) (*ast.Compiler, error) {
	compiler := newCompiler(version).WithStrict(r.Strict && schema != lenient).SetErrorLimit(0)
	if schema == noSchema || schema == lenient {
		return compiler, nil
	}
	var document any
	if err := util.UnmarshalJSON(r.Schemas[schema], &document); err != nil {
		return nil, serve.Refuse(serve.CodeBadRequest, "schema %q is not JSON: %v", schema, err)
	}
	set := ast.NewSchemaSet()
	set.Put(ast.SchemaRootRef, document)
	return compiler.WithSchemas(set), nil
}

// deniedIn finds each use of a denied built-in in compiled modules, where a local name can no longer be mistaken for
// one: as a call, and as a replacement (`with count as http.send`).
func deniedIn(modules map[string]*ast.Module, denied []string) serve.Errors {
	var problems serve.Errors
	for _, path := range util.KeysSorted(modules) {
		ast.WalkTerms(modules[path], func(term *ast.Term) bool {
			if ref, ok := term.Value.(ast.Ref); ok && slices.Contains(denied, ref.String()) {
				location := term.Location
				if location == nil {
					location = &ast.Location{File: path}
				}
				problems = append(problems,
					place(codeUnsafeBuiltin, "built-in "+ref.String()+" is not allowed here", location))
			}
			return false
		})
	}
	return problems
}

package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"sluice.dev/toolchain/internal/serve"
)

type inspection struct {
	Modules []module `json:"modules"`
}

type module struct {
	Path        string       `json:"path"`
	Package     string       `json:"package"` // without "data."
	Line        int          `json:"line"`
	Rules       []rule       `json:"rules"`
	Annotations []annotation `json:"annotations"`
	RegoVersion string       `json:"regoVersion"`
	Imports     []importLine `json:"imports"`
}

type rule struct {
	Name    string `json:"name"`
	Line    int    `json:"line"`
	Default bool   `json:"default"`
}

type importLine struct {
	Path  string `json:"path"`
	Alias string `json:"alias"`
	Line  int    `json:"line"`
}

type annotation struct {
	Scope            string            `json:"scope"`
	Target           string            `json:"target"` // "data.sluice.x"
	Line             int               `json:"line"`
	Title            string            `json:"title"`
	Description      string            `json:"description"`
	Custom           map[string]any    `json:"custom"`
	Entrypoint       bool              `json:"entrypoint"`
	Organizations    []string          `json:"organizations"`
	Authors          []author          `json:"authors"`
	RelatedResources []relatedResource `json:"relatedResources"`
	Schemas          []schemaLine      `json:"schemas"`
}

type author struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

type relatedResource struct {
	Ref         string `json:"ref"`
	Description string `json:"description"`
}

type schemaLine struct {
	Path       string `json:"path"`
	Schema     string `json:"schema"`
	Definition any    `json:"definition"`
}

// inspect tells what the files declare, without compiling them. Modules come in the order of the request.
func inspect(r request) (any, error) {
	source, err := parse(r, r.Files)
	if err != nil {
		return nil, err
	}
	result := inspection{Modules: []module{}}
	var problems serve.Errors
	for _, one := range source.files {
		described := describe(one.Path, source.modules[one.Path])
		problems = append(problems, unspeakable(described)...)
		result.Modules = append(result.Modules, described)
	}
	if len(problems) > 0 {
		return nil, sorted(problems)
	}
	return result, nil
}

// unspeakable finds annotations whose YAML has no form in JSON (.inf, .nan): the author's error, not ours.
func unspeakable(described module) serve.Errors {
	var problems serve.Errors
	for _, one := range described.Annotations {
		if _, err := json.Marshal(one); err != nil {
			problems = append(problems, at(codeParse, described.Path, one.Line, 1, "METADATA is not JSON: "+err.Error()))
		}
	}
	return problems
}

func describe(path string, parsed *ast.Module) module {
	described := module{
		Path: path, Package: packageName(parsed.Package.Path), Line: parsed.Package.Location.Row,
		Rules: []rule{}, Annotations: []annotation{}, Imports: []importLine{},
		RegoVersion: parsed.RegoVersion().String(),
	}
	for _, one := range parsed.Rules {
		described.Rules = append(described.Rules,
			rule{Name: one.Head.Ref().GroundPrefix().String(), Line: one.Location.Row, Default: one.Default})
	}
	for _, one := range parsed.Imports {
		described.Imports = append(described.Imports,
			importLine{Path: one.Path.String(), Alias: string(one.Alias), Line: one.Location.Row})
	}
	for _, one := range parsed.Annotations {
		described.Annotations = append(described.Annotations, annotate(one))
	}
	slices.SortStableFunc(described.Annotations, func(a, b annotation) int { return cmp.Compare(a.Line, b.Line) })
	return described
}

func annotate(parsed *ast.Annotations) annotation {
	described := annotation{
		Scope: parsed.Scope, Target: parsed.GetTargetPath().String(), Line: parsed.Location.Row,
		Title: parsed.Title, Description: parsed.Description, Custom: map[string]any{}, Entrypoint: parsed.Entrypoint,
		Organizations: append([]string{}, parsed.Organizations...), Authors: []author{},
		RelatedResources: []relatedResource{}, Schemas: []schemaLine{},
	}
	if parsed.Custom != nil {
		described.Custom = parsed.Custom
	}
	for _, one := range parsed.Authors {
		described.Authors = append(described.Authors, author{Name: one.Name, Email: one.Email})
	}
	for _, one := range parsed.RelatedResources {
		described.RelatedResources = append(described.RelatedResources,
			relatedResource{Ref: one.Ref.String(), Description: one.Description})
	}
	for _, one := range parsed.Schemas {
		line := schemaLine{Path: one.Path.String()}
		if one.Schema != nil {
			line.Schema = one.Schema.String()
		}
		if one.Definition != nil {
			line.Definition = *one.Definition
		}
		described.Schemas = append(described.Schemas, line)
	}
	return described
}

func packageName(path ast.Ref) string {
	return strings.TrimPrefix(path.String(), "data.")
}

package main

import (
	"github.com/open-policy-agent/opa/v1/format"

	"sluice.dev/toolchain/internal/serve"
)

type formatting struct {
	Files []formattedFile `json:"files"`
}

type formattedFile struct {
	Path    string `json:"path"`
	Text    string `json:"text"`
	Changed bool   `json:"changed"`
}

// formatFiles writes each file as `opa fmt` does.
func formatFiles(r request) (any, error) {
	if err := r.checkFiles(); err != nil {
		return nil, err
	}
	version, err := r.version()
	if err != nil {
		return nil, err
	}
	options := parserOptions(version)
	result := formatting{Files: []formattedFile{}}
	var problems serve.Errors
	for _, one := range r.Files {
		text, err := format.SourceWithOpts(one.Path, []byte(one.Text),
			format.Opts{RegoVersion: version, ParserOptions: &options})
		if err != nil {
			problems = append(problems, fromCompiler(err, codeParse)...)
			continue
		}
		result.Files = append(result.Files,
			formattedFile{Path: one.Path, Text: string(text), Changed: string(text) != one.Text})
	}
	if len(problems) > 0 {
		return nil, sorted(problems)
	}
	return result, nil
}

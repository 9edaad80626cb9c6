package main

import (
	"sigs.k8s.io/yaml"

	"sluice.dev/toolchain/internal/serve"
)

type yamlResults struct {
	Results []yamlResult `json:"results"`
}

// yamlResult has exactly one of the two.
type yamlResult struct {
	JSON  *string `json:"json,omitempty"`
	Error *string `json:"error,omitempty"`
}

// readYAML reads each document as Kubernetes does, independently of the others.
func readYAML(r request) (any, error) {
	total := 0
	for _, one := range r.Documents {
		total += len(one)
	}
	if len(r.Documents) > maxFiles || total > maxTotalBytes {
		return nil, serve.Refuse(serve.CodeBadRequest, "%d documents of %d bytes, %d of %d are allowed",
			len(r.Documents), total, maxFiles, maxTotalBytes)
	}
	result := yamlResults{Results: []yamlResult{}}
	for _, one := range r.Documents {
		result.Results = append(result.Results, readDocument(one))
	}
	return result, nil
}

func readDocument(document string) yamlResult {
	json, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		message := shorten(err.Error())
		return yamlResult{Error: &message}
	}
	text := string(json)
	return yamlResult{JSON: &text}
}

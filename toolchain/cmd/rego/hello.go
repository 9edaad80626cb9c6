package main

import (
	"runtime"

	opa "github.com/open-policy-agent/opa/v1/version"

	"sluice.dev/toolchain/internal/lock"
)

// protocolVersion changes when a field changes its meaning or goes away.
const protocolVersion = 1

type greeting struct {
	OPA           string   `json:"opa"`
	Go            string   `json:"go"`
	Protocol      int      `json:"protocol"`
	Sandbox       string   `json:"sandbox"`
	SandboxDetail string   `json:"sandboxDetail"`
	Builtins      []string `json:"builtins"`
}

func hello(status lock.Status) greeting {
	names := []string{}
	for _, builtin := range capabilities().Builtins { // sorted by OPA
		names = append(names, builtin.Name)
	}
	return greeting{
		OPA: opa.Version, Go: runtime.Version(), Protocol: protocolVersion,
		Sandbox: status.Sandbox, SandboxDetail: status.Detail, Builtins: names,
	}
}

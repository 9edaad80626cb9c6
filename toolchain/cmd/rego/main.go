// Command rego answers questions about Rego policies on standard input and output: compile to WebAssembly, check, test,
// format, evaluate. It is OPA's own compiler and evaluator, with all files in memory, in a process that has locked
// itself before it reads its first byte. The protocol is described in ../../README.md.
//
// Exit codes: 0 input ended, 1 stream or operation failed (an answer was tried), 2 usage, 3 the lock is not available.
//
// The runtime is told not to name its memory and not to look at the CPU limits again: both need calls that are refused.
//
//go:debug decoratemappings=0
//go:debug updatemaxprocs=0
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	_ "time/tzdata" // policies ask for time zones, and no file can be opened under the lock

	"sluice.dev/toolchain/internal/lock"
	"sluice.dev/toolchain/internal/serve"
)

const (
	exitFailed    = 1
	exitUsage     = 2
	exitNoSandbox = 3
)

// The signal for a dead parent belongs to a thread: the main goroutine stays on the main thread until it is set.
func init() { runtime.LockOSThread() }

func main() { os.Exit(run(os.Args[1:])) }

func run(arguments []string) int {
	sandboxed, err := parseArguments(arguments)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitUsage
	}
	parent := os.Getppid()
	status, err := enterSandbox(sandboxed)
	runtime.UnlockOSThread()
	if err != nil {
		_ = serve.Announce(os.Stdout, serve.Refuse(serve.CodeSandboxUnavailable, "%v", err))
		return exitNoSandbox
	}
	if err := serve.Loop(os.Stdin, os.Stdout, operations(status, parent)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return 0
}

func parseArguments(arguments []string) (sandboxed bool, err error) {
	switch {
	case len(arguments) == 0, len(arguments) == 1 && arguments[0] == "--sandbox=seccomp":
		return true, nil
	case len(arguments) == 1 && arguments[0] == "--sandbox=none":
		return false, nil
	}
	return false, errors.New("usage: rego [--sandbox=seccomp|none]   (requests on standard input)")
}

func enterSandbox(sandboxed bool) (lock.Status, error) {
	refuseNetwork()
	if err := lock.Prepare(); err != nil {
		return lock.Status{}, err
	}
	if !sandboxed {
		return lock.Status{Sandbox: "none", Detail: "switched off by --sandbox=none"}, nil
	}
	return lock.Install()
}

func operations(status lock.Status, parent int) map[string]serve.Operation[request] {
	return map[string]serve.Operation[request]{
		"hello":    func(request) (any, error) { return hello(status), nil },
		"selftest": func(request) (any, error) { return selftest{Attempts: lock.Attempts(parent)}, nil },
		"inspect":  inspect,
		"check":    check,
		"compile":  compileWasm,
		"test":     runTests,
		"fmt":      formatFiles,
		"eval":     evaluate,
		"yaml":     readYAML,
	}
}

type selftest struct {
	Attempts []lock.Attempt `json:"attempts"`
}

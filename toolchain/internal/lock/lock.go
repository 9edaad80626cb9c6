// Package lock makes the process harmless before it looks at hostile input: bounded memory, and on Linux a seccomp
// allow-list under which it can compute, allocate, and read and write what is already open, and nothing else.
//
// The order is fixed: Prepare, Install, and only then the first byte of input.
package lock

import (
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// DataLimitBytes is the hard end: the kernel refuses more private writable memory (RLIMIT_DATA; RLIMIT_AS does
	// not work with Go, which reserves far more address space than it uses).
	DataLimitBytes = 1 << 30
	// heapTargetBytes is where the garbage collector starts to work against the growth.
	heapTargetBytes = 768 << 20
	// maxStackBytes ends a runaway recursion before it has eaten the memory of the process.
	maxStackBytes = 256 << 20
	// maxProcessors also switches off the runtime's own look at the CPU limits, which opens files.
	maxProcessors = 4
)

// Status says which sandbox is in force: "seccomp" or "none".
type Status struct {
	Sandbox string
	Detail  string
}

// Attempt is one thing a locked process must not be able to do, really tried.
type Attempt struct {
	Name    string `json:"name"`
	Refused bool   `json:"refused"`
	Errno   string `json:"errno"` // "" when it succeeded
}

// Prepare sets what has to be in place before the lock: memory limits, a clock without files.
func Prepare() error {
	time.Local = time.UTC
	runtime.GOMAXPROCS(min(runtime.NumCPU(), maxProcessors))
	debug.SetMemoryLimit(heapTargetBytes)
	debug.SetMaxStack(maxStackBytes)
	return prepareProcess()
}

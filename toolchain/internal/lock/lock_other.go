//go:build !linux || (!amd64 && !arm64)

package lock

import (
	"fmt"
	"runtime"
)

func prepareProcess() error { return nil }

// Install reports that there is no lock for this system; the caller decides whether to go on.
func Install() (Status, error) {
	return Status{}, fmt.Errorf("no seccomp lock on %s/%s", runtime.GOOS, runtime.GOARCH)
}

// Attempts tries nothing: without a lock there is nothing to prove.
func Attempts(int) []Attempt { return []Attempt{} }

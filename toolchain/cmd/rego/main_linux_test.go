//go:build amd64 || arm64

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sluice.dev/toolchain/internal/frame"
	"sluice.dev/toolchain/internal/lock"
)

const roleVariable = "SLUICE_REGO_TEST_ROLE"

// A process that is locked already cannot lock itself again: for this program that is a system without the lock.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "" {
		os.Exit(m.Run())
	}
	if err := lock.Prepare(); err != nil {
		os.Exit(9)
	}
	if _, err := lock.Install(); err != nil {
		os.Exit(9)
	}
	os.Exit(run(nil))
}

func TestWithoutTheLockItSaysSoAndReadsNothing(t *testing.T) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), roleVariable+"=locked")
	var in, out bytes.Buffer
	if err := frame.Write(&in, []byte(`{"id":1,"op":"hello"}`)); err != nil {
		t.Fatal(err)
	}
	command.Stdin, command.Stdout = &in, &out
	err := command.Run()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != exitNoSandbox {
		t.Fatalf("ended with %v", err)
	}
	body, err := frame.Read(&out)
	if err != nil || !strings.Contains(string(body), `"id":0,"ok":false`) || !strings.Contains(string(body), "sandbox-unavailable") {
		t.Fatalf("%v: %s", err, body)
	}
	if _, err := frame.Read(&out); err != io.EOF {
		t.Fatalf("something follows: %v", err)
	}
}

func TestArgumentsAreExact(t *testing.T) {
	for _, bad := range [][]string{{"--sandbox"}, {"--sandbox=no"}, {"--sandbox=none", "x"}, {"help"}, {""}} {
		if _, err := parseArguments(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if sandboxed, err := parseArguments(nil); err != nil || !sandboxed {
		t.Fatal("the lock is not the default")
	}
}

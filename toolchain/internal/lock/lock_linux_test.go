//go:build linux && (amd64 || arm64)

package lock

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
)

const roleVariable = "SLUICE_LOCK_TEST_ROLE"

// A lock cannot be taken off again, so each test runs this binary a second time and looks at what the child saw.
func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	case "attempts":
		parent := os.Getppid()
		lockOrExit()
		_ = json.NewEncoder(os.Stdout).Encode(Attempts(parent))
	case "free":
		_ = json.NewEncoder(os.Stdout).Encode(Attempts(os.Getppid()))
	case "load":
		lockOrExit()
		fmt.Print(strain())
	case "memory":
		lockOrExit()
		var kept [][]byte
		for range 64 {
			block := make([]byte, 64<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			kept = append(kept, block)
		}
		fmt.Print("allocated ", len(kept))
	}
}

func lockOrExit() {
	if err := Prepare(); err != nil {
		fmt.Print(err)
		os.Exit(9)
	}
	if _, err := Install(); err != nil {
		fmt.Print(err)
		os.Exit(9)
	}
}

// strain makes the runtime start threads, preempt loops, grow stacks and collect garbage, all under the lock.
func strain() int {
	var group sync.WaitGroup
	var mutex sync.Mutex
	total := 0
	for range 64 {
		group.Go(func() {
			runtime.LockOSThread()
			sum := grow(2000)
			for range 20 {
				sum += len(make([]byte, 4<<20)) >> 20
			}
			mutex.Lock()
			total += sum
			mutex.Unlock()
		})
	}
	group.Wait()
	runtime.GC()
	return total
}

func grow(depth int) int {
	var frame [256]byte
	if depth == 0 {
		return int(frame[0])
	}
	return grow(depth-1) + int(frame[1])
}

func child(t *testing.T, role string) ([]byte, error) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), roleVariable+"="+role)
	return command.Output()
}

func attemptsOf(t *testing.T, role string) map[string]Attempt {
	t.Helper()
	output, err := child(t, role)
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var list []Attempt
	if err := json.Unmarshal(output, &list); err != nil {
		t.Fatal(err)
	}
	byName := map[string]Attempt{}
	for _, one := range list {
		byName[one.Name] = one
	}
	return byName
}

func TestEveryAttemptIsRefusedUnderTheLock(t *testing.T) {
	attempts := attemptsOf(t, "attempts")
	if len(attempts) < 25 {
		t.Fatalf("only %d attempts", len(attempts))
	}
	for name, one := range attempts {
		if !one.Refused {
			t.Errorf("%s was not refused: %q", name, one.Errno)
		}
	}
}

// Without this the test above could pass because the attempts never reach the kernel.
func TestTheSameAttemptsGetThroughWithoutTheLock(t *testing.T) {
	attempts := attemptsOf(t, "free")
	for _, name := range []string{"open for read", "open for write", "mkdir", "unlink", "kill parent (signal 0)",
		"fork by clone", "execve", "mmap PROT_EXEC", "mprotect PROT_EXEC", "socket", "connect", "prctl", "prlimit set"} {
		if attempts[name].Refused {
			t.Errorf("%s is refused although there is no lock (%s)", name, attempts[name].Errno)
		}
	}
}

func TestTheRuntimeWorksUnderTheLock(t *testing.T) {
	output, err := child(t, "load")
	if err != nil || string(output) != fmt.Sprint(64*20*4) {
		t.Fatalf("%v: %s", err, output)
	}
}

func TestMemoryIsCapped(t *testing.T) {
	if output, err := child(t, "memory"); err == nil {
		t.Fatalf("4 GiB were given: %s", output)
	}
}

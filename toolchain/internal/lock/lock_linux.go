//go:build linux && (amd64 || arm64)

package lock

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// prepareProcess caps memory, leaves no core file behind, dies with its parent, and closes what it inherited by
// accident: an open socket of the parent could be used without any further system call to open it.
func prepareProcess() error {
	var current unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &current); err != nil {
		return fmt.Errorf("cannot read the memory limit: %w", err)
	}
	limit := min(current.Max, DataLimitBytes) // a stricter one stays
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return fmt.Errorf("cannot limit memory: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("cannot switch off core files: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("cannot follow the parent: %w", err)
	}
	return closeInherited()
}

func closeInherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("cannot list open files: %w", err)
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd <= 2 {
			continue
		}
		link, err := os.Readlink("/proc/self/fd/" + entry.Name())
		// The Go runtime's own poller must stay; the descriptor of this listing is gone already.
		if err != nil || strings.HasPrefix(link, "anon_inode:[event") {
			continue
		}
		_ = unix.Close(fd)
	}
	return nil
}

// Install sets no_new_privs and the filter on every thread, then checks that it bites.
func Install() (Status, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return Status{}, fmt.Errorf("cannot set no_new_privs: %w", err)
	}
	program := filter(os.Getpid())
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	failed, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return Status{}, fmt.Errorf("cannot install the seccomp filter: %w", errno)
	}
	if failed != 0 {
		return Status{}, fmt.Errorf("cannot install the seccomp filter: thread %d does not follow", failed)
	}
	if _, err := unix.Open("/", unix.O_RDONLY, 0); !errors.Is(err, unix.EPERM) {
		return Status{}, errors.New("the seccomp filter does not refuse open")
	}
	detail := fmt.Sprintf("allow-list of %d calls on %s, no_new_privs, at most %d MiB of data", len(allowed())+len(conditions(0)),
		runtime.GOARCH, DataLimitBytes>>20)
	return Status{Sandbox: "seccomp", Detail: detail}, nil
}

//go:build linux && (amd64 || arm64)

package lock

import (
	"errors"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attempt tries one thing and returns 0 when the kernel let it through. Each is chosen so that it does no harm in a
// process without a lock either: missing paths, signal 0, arguments that fail for another reason than permission.
type attempt struct {
	name string
	try  func() unix.Errno
}

// Attempts really tries what a locked process must not be able to do. parent is another process, looked up before the
// lock: asking for it is refused afterwards.
func Attempts(parent int) []Attempt {
	scratch := os.TempDir() + "/sluice-selftest-" + strconv.Itoa(os.Getpid())
	done := []Attempt{}
	for _, group := range [][]attempt{
		fileAttempts(scratch), processAttempts(scratch, parent), memoryAttempts(), otherAttempts(), architectureAttempts(),
	} {
		for _, one := range group {
			errno := one.try()
			refused := errno == unix.EPERM || (one.name == "clone3" && errno == unix.ENOSYS)
			done = append(done, Attempt{Name: one.name, Refused: refused, Errno: errnoName(errno)})
		}
	}
	return done
}

func fileAttempts(scratch string) []attempt {
	return []attempt{
		{"open for read", func() unix.Errno { return opened(unix.Open("/proc/self/status", unix.O_RDONLY, 0)) }},
		{"open for write", func() unix.Errno {
			defer func() { _ = unix.Unlink(scratch + "-file") }()
			return opened(unix.Open(scratch+"-file", unix.O_WRONLY|unix.O_CREAT, 0o600))
		}},
		{"unlink", func() unix.Errno { return errnoOf(unix.Unlink(scratch + "-none")) }},
		{"mkdir", func() unix.Errno {
			defer func() { _ = unix.Rmdir(scratch + "-folder") }()
			return errnoOf(unix.Mkdir(scratch+"-folder", 0o700))
		}},
		{"rename", func() unix.Errno { return errnoOf(unix.Rename(scratch+"-none", scratch+"-other")) }},
		{"memfd_create", func() unix.Errno { return opened(unix.MemfdCreate("sluice", 0)) }},
	}
}

func processAttempts(scratch string, parent int) []attempt {
	return []attempt{
		{"kill parent (signal 0)", func() unix.Errno { return raw(unix.SYS_KILL, uintptr(parent), 0, 0) }},
		{"tgkill parent (signal 0)", func() unix.Errno {
			return raw(unix.SYS_TGKILL, uintptr(parent), uintptr(parent), 0)
		}},
		{"fork by clone", forkByClone},
		{"clone3", func() unix.Errno { return raw(unix.SYS_CLONE3, 0, 0, 0) }},
		{"execve", func() unix.Errno { return errnoOf(unix.Exec(scratch+"-none", []string{"none"}, nil)) }},
		{"ptrace", func() unix.Errno { return raw(unix.SYS_PTRACE, unix.PTRACE_CONT, uintptr(parent), 0) }},
		{"prlimit set", prlimitSet},
		{"prctl", func() unix.Errno { return raw(unix.SYS_PRCTL, unix.PR_GET_DUMPABLE, 0, 0) }},
		{"fcntl F_SETOWN", func() unix.Errno { return raw(unix.SYS_FCNTL, 0, unix.F_SETOWN, 0) }},
		{"process_vm_readv", func() unix.Errno { return raw(unix.SYS_PROCESS_VM_READV, uintptr(parent), 0, 0) }},
		{"pidfd_open", func() unix.Errno { return opened(unix.PidfdOpen(parent, 0)) }},
		{"unshare", func() unix.Errno { return raw(unix.SYS_UNSHARE, 0, 0, 0) }},
	}
}

func memoryAttempts() []attempt {
	page := os.Getpagesize()
	return []attempt{
		{"mmap PROT_EXEC", func() unix.Errno {
			memory, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err == nil {
				_ = unix.Munmap(memory)
			}
			return errnoOf(err)
		}},
		{"mprotect PROT_EXEC", func() unix.Errno {
			memory, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return 0 // could not be tried: not a proof of refusal
			}
			defer func() { _ = unix.Munmap(memory) }()
			return errnoOf(unix.Mprotect(memory, unix.PROT_READ|unix.PROT_EXEC))
		}},
	}
}

func otherAttempts() []attempt {
	return []attempt{
		{"socket", func() unix.Errno { return opened(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)) }},
		{"socket unix", func() unix.Errno { return opened(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)) }},
		{"connect", func() unix.Errno {
			return errnoOf(unix.Connect(-1, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}}))
		}},
		{"sendmsg", func() unix.Errno { return errnoOf(unix.Sendmsg(-1, []byte("x"), nil, nil, 0)) }},
		{"io_uring_setup", ioUringSetup},
		{"bpf", func() unix.Errno { return raw(unix.SYS_BPF, 0, 0, 0) }},
		{"seccomp", func() unix.Errno { return raw(unix.SYS_SECCOMP, 0xffff, 0, 0) }},
	}
}

// forkByClone leaves the child nothing to do but to end: it shares no memory with us and must not run any Go code.
func forkByClone() unix.Errno {
	child, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if child == 0 {
		for {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
	_, _ = unix.Wait4(int(child), nil, 0, nil)
	return 0
}

func prlimitSet() unix.Errno {
	var current unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &current); err != nil {
		return 0 // reading is part of the allow-list: its failure is not the refusal we look for
	}
	return errnoOf(unix.Prlimit(0, unix.RLIMIT_NOFILE, &current, nil))
}

func ioUringSetup() unix.Errno {
	var parameters [120]byte // struct io_uring_params
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&parameters)), 0)
	if errno == 0 {
		_ = unix.Close(int(fd))
	}
	return errno
}

func raw(number, first, second, third uintptr) unix.Errno {
	_, _, errno := unix.Syscall6(number, first, second, third, 0, 0, 0)
	return errno
}

func opened(fd int, err error) unix.Errno {
	if err == nil {
		_ = unix.Close(fd)
	}
	return errnoOf(err)
}

func errnoOf(err error) unix.Errno {
	var errno unix.Errno
	errors.As(err, &errno)
	return errno
}

func errnoName(errno unix.Errno) string {
	if errno == 0 {
		return ""
	}
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return strconv.Itoa(int(errno))
}

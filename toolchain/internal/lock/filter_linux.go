//go:build linux && (amd64 || arm64)

package lock

import "golang.org/x/sys/unix"

// Offsets into struct seccomp_data (linux/seccomp.h); both architectures are little endian.
const (
	offsetNumber   = 0
	offsetArch     = 4
	offsetArgument = 16
	argumentBytes  = 8
)

const (
	returnAllow  = unix.SECCOMP_RET_ALLOW
	returnEPERM  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	returnENOSYS = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
)

// A new thread shares all of these with the process; a clone without one of them would be a new process.
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD

// Nothing a Go thread needs, and each gives a new identity, another parent or a tracer.
const foreignFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_PTRACE | unix.CLONE_UNTRACED |
	unix.CLONE_PARENT | unix.CLONE_VFORK | unix.CLONE_IO

// allowed lists the calls without any look at their arguments: memory, threads, time, and what is already open.
func allowed() []uint32 {
	return []uint32{
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_FUTEX, unix.SYS_MUNMAP, unix.SYS_MADVISE,
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
		unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_SCHED_YIELD,
		unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
		unix.SYS_GETRANDOM, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2,
		unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_RESTART_SYSCALL,
	}
}

// condition is a call that is allowed only with harmless arguments; check ends in a return on every path.
type condition struct {
	number uint32
	check  []unix.SockFilter
}

func conditions(pid int) []condition {
	return []condition{
		{unix.SYS_MMAP, allowWithoutBits(2, unix.PROT_EXEC)},
		{unix.SYS_MPROTECT, allowWithoutBits(2, unix.PROT_EXEC)},
		{unix.SYS_CLONE, allowMasked(0, threadFlags|foreignFlags, threadFlags)},
		// The arguments of clone3 lie in memory, where a filter cannot look. ENOSYS makes callers fall back to clone.
		{unix.SYS_CLONE3, []unix.SockFilter{ret(returnENOSYS)}},
		{unix.SYS_TGKILL, allowEqual(0, uint32(pid))},
		{unix.SYS_PRLIMIT64, allowReadingOwnLimits()},
		// F_SETOWN would let the kernel signal another process in our name.
		{unix.SYS_FCNTL, allowOneOf(1, unix.F_GETFD, unix.F_GETFL)},
	}
}

// filter builds the program: the architecture first, then each call, and EPERM for everything else.
func filter(pid int) []unix.SockFilter {
	program := []unix.SockFilter{load(offsetArch), jumpEqual(auditArch, 1, 0), ret(returnEPERM), load(offsetNumber)}
	program = append(program, refuseForeignNumbers()...)
	for _, number := range allowed() {
		program = append(program, jumpEqual(number, 0, 1), ret(returnAllow))
	}
	for _, call := range conditions(pid) {
		program = append(program, jumpEqual(call.number, 0, uint8(len(call.check))))
		program = append(program, call.check...)
	}
	return append(program, ret(returnEPERM))
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func loadArgument(index uint32) unix.SockFilter { return load(offsetArgument + index*argumentBytes) }

func loadArgumentHigh(index uint32) unix.SockFilter {
	return load(offsetArgument + index*argumentBytes + 4)
}

func ret(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}

func jumpEqual(value uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: value}
}

func jumpAnyBit(bits uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jt: yes, Jf: no, K: bits}
}

func mask(bits uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: bits}
}

func allowWithoutBits(argument, bits uint32) []unix.SockFilter {
	return []unix.SockFilter{loadArgument(argument), jumpAnyBit(bits, 0, 1), ret(returnEPERM), ret(returnAllow)}
}

func allowMasked(argument, bits, want uint32) []unix.SockFilter {
	return []unix.SockFilter{loadArgument(argument), mask(bits), jumpEqual(want, 0, 1), ret(returnAllow), ret(returnEPERM)}
}

func allowEqual(argument, want uint32) []unix.SockFilter {
	return []unix.SockFilter{loadArgument(argument), jumpEqual(want, 0, 1), ret(returnAllow), ret(returnEPERM)}
}

func allowOneOf(argument, one, other uint32) []unix.SockFilter {
	return []unix.SockFilter{
		loadArgument(argument), jumpEqual(one, 1, 0), jumpEqual(other, 0, 1), ret(returnAllow), ret(returnEPERM),
	}
}

// allowReadingOwnLimits accepts prlimit64(0, resource, NULL, old).
func allowReadingOwnLimits() []unix.SockFilter {
	return []unix.SockFilter{
		loadArgument(0), jumpEqual(0, 0, 4),
		loadArgument(2), jumpEqual(0, 0, 2),
		loadArgumentHigh(2), jumpEqual(0, 1, 0),
		ret(returnEPERM), ret(returnAllow),
	}
}

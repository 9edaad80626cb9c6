package lock

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// The x32 ABI reports the same architecture and marks its call numbers with this bit.
const x32Bit = 0x40000000

func refuseForeignNumbers() []unix.SockFilter {
	return []unix.SockFilter{jumpAnyBit(x32Bit, 0, 1), ret(returnEPERM)}
}

// architectureAttempts are calls that only exist here; getpid itself is allowed, its x32 twin is not.
func architectureAttempts() []attempt {
	return []attempt{{"x32 call", func() unix.Errno {
		_, _, errno := unix.RawSyscall(x32Bit|unix.SYS_GETPID, 0, 0, 0)
		return errno
	}}}
}

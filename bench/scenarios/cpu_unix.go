//go:build unix

package scenarios

import (
	"syscall"
	"time"
)

// cpuTime is how long this process has computed so far, on all cores together.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

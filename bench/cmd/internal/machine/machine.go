// Package machine tells a report's reader where it was made. What is not known is "unknown".
package machine

import (
	"os"
	"regexp"
	"strings"
)

// Processor is the name of the machine's processor.
func Processor() string { return firstMatch("/proc/cpuinfo", `(?m)^model name\s*: (.*)$`) }

// System is the kernel with its version.
func System() string { return firstMatch("/proc/version", `^(\S+ version \S+)`) }

// LoadAverage is that of the last minute.
func LoadAverage() string { return firstMatch("/proc/loadavg", `^(\S+)`) }

func firstMatch(file, pattern string) string {
	text, err := os.ReadFile(file)
	if match := regexp.MustCompile(pattern).FindSubmatch(text); err == nil && match != nil {
		return strings.TrimSpace(string(match[1]))
	}
	return "unknown"
}

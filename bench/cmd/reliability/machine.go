package main

import (
	"os"
	"regexp"
	"strings"
)

// What is not known of the machine is "unknown": it is only for the reader.

func firstMatch(file, pattern string) string {
	text, err := os.ReadFile(file)
	if match := regexp.MustCompile(pattern).FindSubmatch(text); err == nil && match != nil {
		return strings.TrimSpace(string(match[1]))
	}
	return "unknown"
}

func processor() string { return firstMatch("/proc/cpuinfo", `(?m)^model name\s*: (.*)$`) }
func system() string    { return firstMatch("/proc/version", `^(\S+ version \S+)`) }

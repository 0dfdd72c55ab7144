package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
)

const services = "scripts/services"

var export = regexp.MustCompile(`(?m)^export (\w+)='(.*)'$`)

// withServices calls f while the servers run: those that the environment names or, if it names none, those that
// the script can start.
func withServices(f func() error) error {
	if os.Getenv("POOLGEN_POSTGRES_TCP") != "" {
		return f()
	}
	dir, err := os.MkdirTemp("", "poolgen-soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // for the servers' user
		return err
	}
	if err := os.Setenv("POOLGEN_SERVICES", dir); err != nil {
		return err
	}
	defer func() { _ = exec.Command(services, "stop").Run() }()
	if out, err := exec.Command(services, "start", "postgres", "redis").CombinedOutput(); err != nil {
		return fmt.Errorf("%s start: %w: %s", services, err, out)
	}
	env, err := exec.Command(services, "env").Output()
	if err != nil {
		return err
	}
	for _, match := range export.FindAllStringSubmatch(string(env), -1) {
		if err := os.Setenv(match[1], match[2]); err != nil {
			return err
		}
	}
	return f()
}

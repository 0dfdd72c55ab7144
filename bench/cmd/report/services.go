package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"

	"github.com/poolgen/poolgen/bench/peers"
)

const services = "scripts/services"

var export = regexp.MustCompile(`(?m)^export (\w+)='(.*)'$`)

// withServices calls f while the servers run: those that the environment names or, if it names none, those that
// the script can start.
func withServices(ctx context.Context, f func() error) error {
	if os.Getenv(peers.PostgresVar) != "" || os.Getenv(peers.RedisVar) != "" {
		return f()
	}
	dir, err := os.MkdirTemp("", "poolgen-report")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // for the servers' user
		return err
	}
	if err := os.Setenv("POOLGEN_SERVICES", dir); err != nil {
		return err
	}
	defer func() {
		_ = exec.Command(services, "stop").Run()
		_ = os.RemoveAll(dir)
	}()
	if out, err := exec.CommandContext(ctx, services, "start").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "not all servers run: %v: %s", err, out)
	}
	env, err := exec.CommandContext(ctx, services, "env").Output()
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

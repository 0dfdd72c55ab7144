package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/poolgen/poolgen/bench/scenarios"
)

// serveArg makes this program one that measures.
const serveArg = "serve"

// program measures some peers, one in each of its processes.
type program struct {
	command []string
	offers  []scenarios.Offer
}

// self is this program.
func self(ctx context.Context) (*program, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return newProgram(ctx, path, serveArg)
}

// build builds the program of a module of its own.
func build(ctx context.Context, module, path string) (*program, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, ".")
	cmd.Dir, cmd.Env = module, append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return nil, fmt.Errorf("%s can't be built: %w: %s", module, err, lines[len(lines)-1])
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return newProgram(ctx, path)
}

func newProgram(ctx context.Context, command ...string) (*program, error) {
	p := &program{command: command}
	return p, p.call(ctx, time.Minute, &p.offers, "-list")
}

// measure runs a scenario with a peer.
func (p *program) measure(ctx context.Context, scenario scenarios.Scenario, peer string, budget time.Duration) (result scenarios.Result, err error) {
	return result, p.call(ctx, 20*time.Second, &result, "-measure", scenario.Name, "-peer", peer, "-budget", budget.String())
}

var errHung = errors.New("hung")

// call starts a process and reads its answer.
func (p *program) call(ctx context.Context, limit time.Duration, answer any, args ...string) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(limited, p.command[0], append(p.command[1:], args...)...)
	cmd.WaitDelay = time.Second
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return fmt.Errorf("%w: no answer after %v", errHung, limit)
	case err != nil:
		first, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		return fmt.Errorf("%w: %s", err, first)
	}
	return json.Unmarshal(out, answer)
}

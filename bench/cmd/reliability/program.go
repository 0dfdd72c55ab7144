package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/poolgen/poolgen/bench/replays"
)

const (
	serveArg = "serve"          // makes this program one that replays
	limit    = 20 * time.Second // of a process: time is virtual, so one that takes longer hangs
)

// program puts some peers through replays, one in each of its processes.
type program struct {
	command []string
	offers  []replays.Offer
}

func newProgram(ctx context.Context, command ...string) (*program, error) {
	p := &program{command: command}
	return p, p.call(ctx, limit, &p.offers, "-"+replays.ListFlag)
}

// build builds a program of a module of its own.
func build(ctx context.Context, module, pkg, path string) (*program, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return nil, fmt.Errorf("%s can't be built: %w: %s", module, err, lines[len(lines)-1])
	}
	return newProgram(ctx, path)
}

// What may become of a process.
var (
	errHung = errors.New("hangs")
	errDied = errors.New("the process dies")
)

// replay puts a peer through a replay. To hang or to die is an outcome.
func (p *program) replay(ctx context.Context, replay, peer string) (outcome replays.Outcome, err error) {
	err = p.call(ctx, limit, &outcome, "-"+replays.ReplayFlag, replay, "-"+replays.PeerFlag, peer)
	if errors.Is(err, errHung) || errors.Is(err, errDied) {
		return replays.Outcome{Measured: err.Error()}, nil
	}
	return outcome, err
}

// crash is how the runtime begins to tell why it ends a process.
var crash = regexp.MustCompile(`(?m)^(panic|fatal error): (.*)$`)

// call starts a process and reads its answer.
func (p *program) call(ctx context.Context, limit time.Duration, answer any, args ...string) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(limited, p.command[0], append(p.command[1:], args...)...)
	cmd.WaitDelay = time.Second
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if limited.Err() != nil {
		return fmt.Errorf("%w: no answer within %v", errHung, limit)
	}
	if why := crash.FindStringSubmatch(complaint.String()); err != nil && why != nil {
		return died(why[2])
	}
	if err != nil {
		return fmt.Errorf("%w: %s", err, complaint.String())
	}
	return json.Unmarshal(out, answer)
}

// died tells why a process has. In virtual time a deadlock is found out.
func died(why string) error {
	if strings.Contains(why, "all goroutines") {
		return fmt.Errorf("%w: all its goroutines wait for ever", errHung)
	}
	return fmt.Errorf("%w: %s", errDied, why)
}

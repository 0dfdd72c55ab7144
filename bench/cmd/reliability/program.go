package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/poolgen/poolgen/bench/cmd/internal/child"
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
	if err := child.Build(ctx, module, pkg, path); err != nil {
		return nil, err
	}
	return newProgram(ctx, path)
}

// errDied is the error of a process that the runtime ends.
var errDied = errors.New("the process dies")

// replay puts a peer through a replay. To hang or to die is an outcome.
func (p *program) replay(ctx context.Context, replay, peer string) (outcome replays.Outcome, err error) {
	err = p.call(ctx, limit, &outcome, "-"+replays.ReplayFlag, replay, "-"+replays.PeerFlag, peer)
	if errors.Is(err, child.ErrHung) || errors.Is(err, errDied) {
		return replays.Outcome{Measured: err.Error()}, nil
	}
	return outcome, err
}

// crash is how the runtime begins to tell why it ends a process.
var crash = regexp.MustCompile(`(?m)^(panic|fatal error): (.*)$`)

// call asks a process of the program.
func (p *program) call(ctx context.Context, limit time.Duration, answer any, args ...string) error {
	err := child.Ask(ctx, limit, append(slices.Clone(p.command), args...), answer)
	var failure *child.Failure
	if errors.As(err, &failure) {
		if why := crash.FindStringSubmatch(failure.Complaint); why != nil {
			return died(why[2])
		}
	}
	return err
}

// died tells why a process has. In virtual time a deadlock is found out.
func died(why string) error {
	if strings.Contains(why, "all goroutines") {
		return fmt.Errorf("%w: all its goroutines wait for ever", child.ErrHung)
	}
	return fmt.Errorf("%w: %s", errDied, why)
}

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/poolgen/poolgen/bench/cmd/internal/child"
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
	if err := child.Build(ctx, module, ".", path); err != nil {
		return nil, err
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

// call asks a process of the program.
func (p *program) call(ctx context.Context, limit time.Duration, answer any, args ...string) error {
	return child.Ask(ctx, limit, append(slices.Clone(p.command), args...), answer)
}

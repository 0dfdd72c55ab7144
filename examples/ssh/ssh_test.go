package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/examples/internal/faults"
)

func TestCommandsRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out, config(t, faults.Find(t, "ssh").Address), 2, []string{"echo one", "echo two", "echo three"}))
	require.Equal(t, "$ echo one\none\n$ echo two\ntwo\n$ echo three\nthree\n", out.String())
}

func TestACommandThatFailsLeavesTheConnectionUsable(t *testing.T) {
	pool, err := NewConnPool(config(t, faults.Find(t, "ssh").Address), ConnPoolOptions{MaxSize: 1})
	require.NoError(t, err)
	_, err = execute(t.Context(), pool, "exit 3")
	require.ErrorContains(t, err, "status 3")
	_, err = execute(t.Context(), pool, "true")
	require.NoError(t, err)
	require.EqualValues(t, 1, pool.Stats().Created)
	require.NoError(t, pool.Close(t.Context()))
}

func TestThePoolSurvivesItsServer(t *testing.T) {
	faults.Test(t, faults.Forks(t, faults.Subject{
		Server: "ssh", Requesters: 8, Patience: time.Second,
		Open: open, Probe: faults.Greeted,
	}))
}

func open(t testing.TB, addr string) faults.Pool {
	pool, err := NewConnPool(config(t, addr), ConnPoolOptions{MaxSize: 4, CreateTimeout: 400 * time.Millisecond, HealthCheckTimeout: 300 * time.Millisecond})
	require.NoError(t, err)
	return tested{pool}
}

// tested is a pool as the faults use it.
type tested struct{ *ConnPool }

func (p tested) Ask(ctx context.Context, id int64) (int64, error) {
	output, err := execute(ctx, p.ConnPool, fmt.Sprintf("echo %d", id))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(output)), 10, 64)
}

func config(t testing.TB, addr string) *Config {
	cfg, err := configure(addr, os.Getenv("POOLGEN_SSH_USER"), os.Getenv("POOLGEN_SSH_KEY"), os.Getenv("POOLGEN_SSH_HOST_KEY"))
	require.NoError(t, err)
	cfg.CheckAfter = 100 * time.Millisecond
	return cfg
}

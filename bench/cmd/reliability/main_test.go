package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/bench/cmd/internal/child"
	"github.com/poolgen/poolgen/bench/replays"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

// This test is also the program that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serveArg {
		replays.Serve(pools.All, os.Args[2:])
	}
	os.Exit(m.Run())
}

func own(t *testing.T) *program {
	path, err := os.Executable()
	require.NoError(t, err)
	own, err := newProgram(t.Context(), path, serveArg)
	require.NoError(t, err)
	return own
}

func TestAReplayRunsInAProcessOfItsOwn(t *testing.T) {
	program := own(t)
	require.Len(t, program.offers, len(pools.All))
	outcome, err := program.replay(t.Context(), "prime directive", "poolgen")
	require.NoError(t, err)
	require.Equal(t, replays.Outcome{Measured: "after 100ms", Holds: true}, outcome)
	_, err = program.replay(t.Context(), "prime directive", "nobody")
	require.ErrorContains(t, err, "nobody")
}

func TestAPoolThatDiesOfAReplayIsReportedAndNotFatal(t *testing.T) {
	outcome, err := own(t).replay(t.Context(), "panic in create", "puddle")
	require.NoError(t, err)
	require.False(t, outcome.Holds)
	require.Contains(t, outcome.Measured, "the process dies: faulty: create panics")
}

func TestAPoolThatHangsIsReportedAndNotFatal(t *testing.T) {
	hanging := &program{command: []string{"sleep", "10"}}
	var answer any
	begun := time.Now()
	require.ErrorIs(t, hanging.call(t.Context(), 50*time.Millisecond, &answer), child.ErrHung)
	require.Less(t, time.Since(begun), 5*time.Second)
	require.ErrorIs(t, died("deadlock: main bubble goroutine has exited but all goroutines in bubble are blocked"), child.ErrHung)
}

func TestARowIsPassedIfAllItsReplaysHold(t *testing.T) {
	offer := replays.Offer{Peer: pools.Peer{Name: "one"}}
	table := []replays.Replay{
		{Name: "a", Row: 1}, {Name: "b", Row: 1},
		{Name: "c", Row: 2}, {Name: "needs", Row: 2, With: pools.Breaker, Needs: true},
		{Name: "also needs", Row: 3, With: pools.Breaker, Needs: true},
	}
	r := &report{offers: []replays.Offer{offer}, cells: map[cellKey]replays.Outcome{
		{"a", "one"}: {Measured: "well", Holds: true},
		{"b", "one"}: {Measured: "badly"},
		{"c", "one"}: {Measured: "well", Holds: true},
	}}
	require.Equal(t, map[int]bool{1: false, 2: true, 3: false}, r.passed(offer, table))
	require.Equal(t, "holds: well", r.text(table[0], offer))
	require.Equal(t, "**does not hold**: badly", r.text(table[1], offer))
	require.Equal(t, "has no circuit breaker", r.text(table[3], offer))
}

package main

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/bench/cmd/internal/child"
	"github.com/poolgen/poolgen/bench/scenarios"
)

func TestABarThatWasNotMeasuredDoesNotHold(t *testing.T) {
	for _, relation := range []string{atMost, atLeast} {
		b := bar{relation: relation, limit: 1, measured: math.NaN()}
		require.False(t, b.holds())
		require.Contains(t, b.String(), "not measured")
	}
	require.Contains(t, bar{relation: atMost, limit: 1, measured: 2}.String(), "does not hold")
	require.Contains(t, bar{relation: atLeast, limit: 1, measured: 2}.String(), "| holds |")
}

func TestRatiosAreThoseOfTheSameRound(t *testing.T) {
	rounds := func(values ...float64) *cell {
		c := &cell{}
		for _, value := range values {
			c.rounds = append(c.rounds, scenarios.Result{"ns/op": value})
		}
		return c
	}
	m := &measurements{cells: map[cellKey]*cell{
		{"S1", "one"}:   rounds(10, 400, 20),
		{"S1", "other"}: rounds(5, 200, 10),
	}}
	m.cells[cellKey{"S1", "one"}].rounds = append(m.cells[cellKey{"S1", "one"}].rounds, nil) // which has failed
	require.Equal(t, 2.0, m.against("S1", "ns/op", "one", "other", quotient))
	require.Equal(t, 20.0, m.median("S1", "one", "ns/op"))
	require.True(t, math.IsNaN(m.median("S1", "nobody", "ns/op")))
}

func TestAPeerThatHangsIsReportedAndNotFatal(t *testing.T) {
	hanging := &program{command: []string{"sleep", "10"}}
	var answer any
	begun := time.Now()
	require.ErrorIs(t, hanging.call(t.Context(), 50*time.Millisecond, &answer), child.ErrHung)
	require.Less(t, time.Since(begun), 5*time.Second)

	failing := job{program: &program{command: []string{"false"}}}
	c := &cell{}
	for range 4 {
		require.NoError(t, c.measure(t.Context(), failing, time.Millisecond))
	}
	require.Equal(t, 2, c.failed, "not tried again")
	require.Len(t, c.rounds, 4)
}

func TestAReferenceOfAnotherProcessorIsTheHighest(t *testing.T) {
	r := reference{"a": {"S1": 1.5}, "b": {"S1": 1.7}}
	expected, known := r.expected("c")
	require.False(t, known)
	require.Equal(t, map[string]float64{"S1": 1.7}, expected)
	require.Empty(t, slowerThan(map[string]float64{"S1": 2}, expected))
	require.NotEmpty(t, slowerThan(map[string]float64{"S1": 2.2}, expected))
	require.NotEmpty(t, slowerThan(map[string]float64{}, expected), "what was not measured")
}

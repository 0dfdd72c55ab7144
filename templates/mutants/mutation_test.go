package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who changes a line of the pool that a mutation replaces learns that here, not when all of them are run.
func TestEveryMutationCanBeMade(t *testing.T) {
	text, err := os.ReadFile("mutations.diff")
	require.NoError(t, err)
	all, err := parse(string(text))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 40)
	require.NoError(t, applicable(all, "../pool"))
}

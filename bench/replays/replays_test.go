package replays

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/bench/replays/pools"
)

// What the report says of other pools is theirs; what it says of generated ones must stay true.
func TestGeneratedPoolsMeetTheBarOfEveryReplay(t *testing.T) {
	for _, replay := range All {
		t.Run(replay.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outcome, end := replay.Run(pools.Poolgen)
				defer end()
				t.Log(outcome.Measured)
				require.True(t, outcome.Holds, "%s.\n%s: %s.", replay.What, replay.Bar, outcome.Measured)
			})
		})
	}
}

// The bars are no use if every pool passes them.
func TestABarIsNotMetByAPoolThatDoesWhatItIsAbout(t *testing.T) {
	for _, replay := range []Replay{spike, prime, refusedCreate, staleRelease, order, cancelStorm} {
		t.Run(replay.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outcome, end := replay.Run(pools.Peer{New: newCareless})
				defer end()
				require.False(t, outcome.Holds, outcome.Measured)
			})
		})
	}
}

func TestEachReplayIsFoundByItsName(t *testing.T) {
	for _, replay := range All {
		found, err := Find(replay.Name)
		require.NoError(t, err)
		require.Equal(t, replay.What, found.What)
	}
	_, err := Find("no such thing")
	require.Error(t, err)
}

func TestPercentilesAndInversions(t *testing.T) {
	require.EqualValues(t, 2, percentile([]time.Duration{3, 1, 2, 4}, 50))
	require.EqualValues(t, 4, percentile([]time.Duration{3, 1, 2, 4}, 99))
	require.Zero(t, percentile(nil, 99))
	require.Equal(t, 3, inversions([]int{2, 1, 0}))
	require.Zero(t, inversions([]int{0, 1, 2}))
}

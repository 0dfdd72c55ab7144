package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// How the fast path scales to more cores than there are here: a simulation that counts how often a cache line has to
// move from one core to another. Each core runs one goroutine that acquires and releases all the time, in turns that
// are drawn at random; a search begins at a lane, as in a pool.

// line is a cache line with the word of a place.
type line struct {
	idle    bool
	owner   int          // the core that may write it without asking others; -1 for none
	sharers map[int]bool // those that may read it without asking others
}

// read returns how often the line had to move for a core to read it.
func (l *line) read(core int) int {
	if l.owner == core || l.sharers[core] {
		return 0
	}
	if l.owner >= 0 {
		l.sharers[l.owner] = true
		l.owner = -1
	}
	l.sharers[core] = true
	return 1
}

// write returns the same for a compare-and-swap.
func (l *line) write(core int) int {
	if l.owner == core {
		return 0
	}
	l.owner = core
	clear(l.sharers)
	return 1
}

// transfers returns how many lines move for one acquire and release, and how many places a search looks at, with so
// many lanes for each core.
func transfers(cores, lanesPerCore int) (moved, probed float64) {
	const rounds, turns = 20, 100
	random := rand.New(rand.NewPCG(1, uint64(cores)))
	leases := 0
	for range rounds {
		places := make([]line, cores*max(1, lanesPerCore))
		for i := range places {
			places[i] = line{idle: true, owner: -1, sharers: map[int]bool{}}
		}
		starts, held := make([]int, cores), make([]int, cores)
		for core := range starts {
			starts[core], held[core] = random.IntN(max(1, cores*lanesPerCore)), -1
		}
		for range turns * cores {
			core := random.IntN(cores)
			if held[core] >= 0 {
				place := &places[held[core]]
				moved += float64(place.write(core))
				place.idle, held[core] = true, -1
				continue
			}
			leases++
			for i := starts[core]; ; i = (i + 1) % len(places) {
				probed++
				moved += float64(places[i].read(core))
				if places[i].idle {
					moved += float64(places[i].write(core))
					places[i].idle, held[core] = false, i
					break
				}
			}
		}
	}
	return moved / float64(leases), probed / float64(leases)
}

func TestTheFastPathScalesWithTheNumberOfCores(t *testing.T) {
	t.Log("cores  lines moved, places looked at: 8, 4, 2, 1 lanes a core; one start for all")
	for _, cores := range []int{2, 16, 64, 192} {
		row := ""
		for _, lanes := range []int{8, 4, 2, 1, 0} {
			moved, probed := transfers(cores, lanes)
			row += fmt.Sprintf("  %5.2f, %5.2f", moved, probed)
		}
		t.Logf("%5d%s", cores, row)
		moved, probed := transfers(cores, 4)
		allMoved, _ := transfers(cores, 0)
		require.Less(t, moved, 1.5, "lines moved with %d cores", cores)
		require.Less(t, probed, 1.5, "places looked at with %d cores", cores)
		require.Greater(t, allMoved, moved)
	}
}

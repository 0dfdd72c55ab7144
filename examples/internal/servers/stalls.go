package servers

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	nap   = 20 * time.Millisecond
	usual = 2 * time.Millisecond // that a sleep is longer than it should be
)

// Stalls is for how long the process has been kept from running, because the machine had other things to do or stopped it: who
// measures by the clock on the wall has to leave that out.
type Stalls struct{ total atomic.Int64 }

// Watch sleeps, again and again until ctx ends, and adds up by how much longer than it should.
func (s *Stalls) Watch(ctx context.Context) {
	for ctx.Err() == nil {
		begun := time.Now()
		time.Sleep(nap)
		if over := time.Since(begun) - nap; over > usual {
			s.total.Add(int64(over))
		}
	}
}

// Total returns the time so far. Who has just slept through a stall may ask before it is known: Settled waits for that.
func (s *Stalls) Total() time.Duration { return time.Duration(s.total.Load()) }

// Settled is Total after a moment.
func (s *Stalls) Settled() time.Duration {
	time.Sleep(2 * nap)
	return s.Total()
}

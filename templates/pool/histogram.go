package pool

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Histogram counts durations: the first number those of less than a microsecond, the i-th one after
// it those of less than 2^i microseconds that the ones before don't count, the last all others.
//
//poolgen:if hasHistogram || hasHolds
type Histogram [24]uint64

// tally is a Histogram that anybody may add to.
//
//poolgen:if hasHistogram || hasHolds
type tally [24]atomic.Uint64

// count adds a duration.
//
//poolgen:if hasHistogram || hasHolds
func (h *tally) count(d time.Duration) {
	h[min(bits.Len64(uint64(d/time.Microsecond)), len(h)-1)].Add(1)
}

// snapshot returns the numbers so far.
//
//poolgen:if hasHistogram || hasHolds
func (h *tally) snapshot() (st Histogram) {
	for i := range h {
		st[i] = h[i].Load()
	}
	return st
}

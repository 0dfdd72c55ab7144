package pool

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// total is how many durations a histogram has counted.
func (h Histogram) total() (n int) {
	for _, count := range h {
		n += int(count)
	}
	return n
}

//poolgen:if hasHistogram || hasHolds
func TestTheNumbersOfAHistogramAreOfDurationsUpToPowersOfTwo(t *testing.T) {
	for d, want := range map[time.Duration]int{
		0:                          0,
		time.Microsecond - 1:       0,
		time.Microsecond:           1,
		2*time.Microsecond - 1:     1,
		2 * time.Microsecond:       2,
		4*time.Microsecond - 1:     2,
		4 * time.Microsecond:       3,
		time.Millisecond:           10, // less than 1024 µs
		1024 * time.Microsecond:    11,
		time.Second:                20,
		1<<22*time.Microsecond - 1: 22,
		1 << 22 * time.Microsecond: 23, // 4.2 s
		time.Hour:                  23,
		math.MaxInt64:              23,
	} {
		var h tally
		h.count(d)
		st := h.snapshot()
		require.EqualValues(t, 1, st[want], "%v", d)
		require.Equal(t, 1, st.total())
	}
}

//poolgen:if hasHistogram
func TestWaitTimesCountThoseWhoWaited(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		require.Equal(t, 1, b.pool.Stats().WaitTimes.total(), "for the create")
		b.release(h)
		h = b.acquire()
		require.Equal(t, 1, b.pool.Stats().WaitTimes.total(), "nobody has waited")

		first, second := b.request(b.ctx), b.request(b.ctx)
		time.Sleep(time.Millisecond)
		b.release(h)
		time.Sleep(99 * time.Millisecond)
		b.release(first.served())
		second.served()
		ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
		defer cancel()
		b.request(ctx).wait().failed()
		require.Equal(t, Histogram{0: 1, 10: 1, 17: 1, 23: 1}, b.pool.Stats().WaitTimes)
		require.EqualValues(t, b.pool.Stats().Waits, b.pool.Stats().WaitTimes.total())
	})
}

//poolgen:if hasHistogram && hasCheck
func TestWaitTimesCountThoseWhoWaitedForACheck(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.release(b.acquire())
		b.allDue()
		b.checking(take(time.Millisecond))
		b.acquire()
		require.Equal(t, Histogram{0: 1, 10: 1}, b.pool.Stats().WaitTimes)
	})
}

//poolgen:if hasHolds
func TestHoldTimesCountLeasesThatWereReleased(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(3)
		require.Equal(t, Histogram{}, b.pool.Stats().HoldTimes)
		time.Sleep(time.Millisecond)
		b.release(held[0], held[0])
		require.Equal(t, Histogram{10: 1}, b.pool.Stats().HoldTimes)
		held[1].Discard()
		time.Sleep(time.Second)
		b.release(b.acquire(), held[2])
		require.Equal(t, Histogram{0: 1, 10: 1, 20: 1}, b.pool.Stats().HoldTimes)
	})
}

//poolgen:if hasHolds
func TestHoldTimesDoNotCountTheResetNorTheWaitThatFollow(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.resetting(take(time.Second))
		h := b.acquire()
		b.request(b.ctx)
		time.Sleep(time.Millisecond)
		h.Release()
		require.Equal(t, Histogram{10: 1}, b.pool.Stats().HoldTimes)
	})
}

//poolgen:if hasHistogram || hasHolds
func TestNoDurationIsLostWhenManyAreCountedAtTheSameTime(t *testing.T) {
	var h tally
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200_000 {
				h.count(time.Millisecond)
			}
		})
	}
	all.Wait()
	require.Equal(t, Histogram{10: 4 * 200_000}, h.snapshot())
}

package pool

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// vacant and idle are numbers of the statistics, for expect.
//
//poolgen:if hasStats
func vacant(s PoolStats) int { return s.Vacant }

//poolgen:if hasStats
func idle(s PoolStats) int { return s.Idle }

//poolgen:if hasStats
func inUse(s PoolStats) int { return s.InUse }

// stocked gives the pool n idle connections, as its users do.
func (b *backend) stocked(n int) []*Conn {
	b.Helper()
	held := b.acquireAll(n)
	b.release(held...)
	conns := make([]*Conn, n)
	for i, h := range held {
		conns[i] = h.Conn()
	}
	return conns
}

// full requires that every place is leased and that there is no other, by a requester who would have to wait.
func (b *backend) full(places int) []*held {
	b.Helper()
	held := b.acquireAll(places)
	ctx, cancel := context.WithTimeout(b.ctx, time.Millisecond)
	defer cancel()
	_, err := b.pool.Acquire(ctx)
	require.ErrorIs(b, err, context.DeadlineExceeded, "there are more than %d places", places)
	return held
}

// tally returns how many connections are open on the server, and how many were at the most.
func (b *backend) tally() (open, peak int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open), b.peak
}

// sound requires that the numbers add up while the pool may have more connections than places, as it shrinks.
func (b *backend) sound() {
	b.Helper()
	if !hasStats {
		return
	}
	s := b.pool.Stats()
	sum := s.Idle + s.InUse + s.Vacant
	for _, n := range underWay(s) {
		sum += n
	}
	require.Equal(b, s.MaxSize, sum, "places: %+v", s)
}

//poolgen:if hasResize
func TestRSZ01GrowingByKLetsKWaitersProceedNow(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.acquireAll(2)
		all := b.requests(5)
		require.NoError(t, b.pool.Resize(5))
		for _, r := range all[:3] {
			r.served()
			require.Zero(t, r.took)
		}
		all[3].waits()
		all[4].waits()
		b.created(5)
	})
}

// A create that takes time is begun for each of them at once, as the queue has not moved for longer than that.
//
//poolgen:if hasResize
func TestRSZ01GrowingByKStartsKCreatesForThoseWhoHaveWaited(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(take(100 * time.Millisecond))
		b.acquireAll(2)
		all := b.requests(4)
		time.Sleep(time.Second)
		require.NoError(t, b.pool.Resize(6))
		for _, r := range all {
			require.NoError(t, r.wait().err)
			require.Equal(t, 1100*time.Millisecond, r.took)
		}
		b.peaked(4)
	})
}

//poolgen:if hasResize && hasClose && hasStats
func TestRSZ02ShrinkingClosesIdleSurplusNowAndLeasedSurplusOnRelease(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 6}, func(t *testing.T, b *backend) {
		b.overflows = true // there were six
		held := b.acquireAll(6)
		b.release(held[0], held[5])
		require.NoError(t, b.pool.Resize(3))
		require.Equal(t, 1, b.closed(held[0].Conn()), "idle")
		require.Equal(t, 1, b.closed(held[5].Conn()), "idle")
		b.left(4)
		b.sound()
		waiter := b.request(b.ctx)

		b.release(held[1:5]...)
		gone := 0
		for _, h := range held[1:5] {
			gone += b.closed(h.Conn())
		}
		require.Equal(t, 1, gone, "the one that was too many")
		b.release(waiter.served())
		b.left(3)
		b.created(6)
		require.EqualValues(t, 3, b.pool.Stats().RetiredSurplus) //poolgen:if hasStats
		b.full(3)
	})
}

//poolgen:if hasResize
func TestRSZ02ShrinkingInterruptsNoLease(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
		b.overflows = true
		held := b.acquireAll(4)
		require.NoError(t, b.pool.Resize(1))
		time.Sleep(time.Hour)
		b.left(4)
		waiter := b.request(b.ctx)
		for _, h := range held[:3] {
			b.release(h)
		}
		b.release(held[3])
		waiter.served()
		b.left(1)
		b.created(4)
	})
}

//poolgen:if hasResize && hasClose
func TestRSZ02WhatIsBeingCreatedWhenThePoolShrinksIsNotTooMany(t *testing.T) {
	for name, slow := range map[string]script{"in time": deaf(time.Second), "too late": deaf(time.Minute), "failing": take(time.Second).then(fail(errRefused))} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
				b.overflows = true
				b.creating(slow)
				for range 4 {
					b.launch(b.ctx, b.pool.Acquire, (*held).Release)
				}
				time.Sleep(500 * time.Millisecond)
				require.NoError(t, b.pool.Resize(1))
				b.sound()
				b.creating(succeed)
				time.Sleep(time.Hour)
				open, _ := b.tally()
				require.LessOrEqual(t, open, 1)
				b.full(1)
			})
		})
	}
}

//poolgen:if hasResize
func TestRSZ02WhatIsOnItsWayOutAnywayIsNotReplacedByAnother(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
		b.overflows = true
		held := b.acquireAll(4)
		require.NoError(t, b.pool.Resize(2))
		require.NoError(t, b.pool.Resize(1))
		require.NoError(t, b.pool.Resize(2))
		require.NoError(t, b.pool.Resize(1))
		b.release(held...)
		b.expect(1, "idle", idle) //poolgen:if hasStats
		b.left(1)
		b.full(1)
	})
}

// Or each search would pass all the empty places on its way.
//
//poolgen:if hasResize
func TestRSZ02WhatAShrunkPoolKeepsIsWhereItIsFoundSoon(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 100}, func(t *testing.T, b *backend) {
		b.overflows = true
		conns := b.stocked(100)
		require.NoError(t, b.pool.Resize(3))
		b.left(3)
		require.Equal(t, 3, b.pool.high)
		require.Contains(t, conns, b.acquire().Conn())
	})
}

// It has to be real goroutines: a release and a resize that meet are settled by compare-and-swap.
//
//poolgen:if hasResize
func TestRSZ03AfterRapidShrinkingAndGrowingTheSizeIsExact(t *testing.T) {
	const most = 12
	b := newBackend(t, PoolOptions{MaxSize: most})
	defer b.finish(b.rest)
	b.overflows = true
	var stop atomic.Bool
	var all sync.WaitGroup
	for range most + 4 {
		all.Go(func() {
			for !stop.Load() {
				b.acquire().Release()
			}
		})
	}
	for begun := time.Now(); time.Since(begun) < 300*time.Millisecond; {
		require.NoError(t, b.pool.Resize(1+rand.IntN(most)))
		b.sound()
	}
	require.NoError(t, b.pool.Resize(5))
	stop.Store(true)
	all.Wait()
	b.rest()
	b.whole()
	open, peak := b.tally()
	require.LessOrEqual(t, open, 5)
	require.LessOrEqual(t, peak, most, "a growing pool waits for what it had too many")
	b.full(5)
}

//poolgen:if hasResize
func TestRSZ04ResizeOfAClosedPoolIsAnErrorAndResurrectsNothing(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.stocked(2)
		require.NoError(t, b.closePool(time.Second))
		require.ErrorIs(t, b.pool.Resize(5), ErrPoolClosed)
		require.ErrorIs(t, b.pool.Resize(1), ErrPoolClosed)
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolClosed)
		b.left(0)
		require.NoError(t, b.closePool(0), "still closed")
	})
}

//poolgen:if hasResize
func TestRSZ04ResizeWhileLeasesOutliveTheClose(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		closed := b.closeLater(b.ctx)
		require.ErrorIs(t, b.pool.Resize(1), ErrPoolClosed)
		b.release(held...)
		require.NoError(t, <-closed)
	})
}

//poolgen:if hasResize
func TestRSZ05ResizeToLessThanOneIsRefusedAndLosesNoWaiter(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		waiter := b.request(b.ctx)
		for _, n := range []int{0, -1, math.MinInt} {
			err := b.pool.Resize(n)
			require.ErrorContains(t, err, "resize")
			var typed *PoolError
			require.True(t, errors.As(err, &typed))
		}
		waiter.waits()
		b.release(h)
		require.Same(t, h.Conn(), waiter.served().Conn())
	})
}

// MinIdle is fixed when the pool is made; what Resize changes is how much of it there is room for.
//
//poolgen:if hasResize && hasIdle
func TestRSZ06TheMinimumIsKeptAsFarAsTheSizeAllows(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5, MinIdle: 4}, func(t *testing.T, b *backend) {
		b.overflows = true
		time.Sleep(5 * time.Second)
		b.left(4)
		require.NoError(t, b.pool.Resize(2))
		b.left(2)
		time.Sleep(time.Minute)
		b.left(2)
		h := b.acquire()
		time.Sleep(time.Minute)
		b.left(2)
		require.NoError(t, b.pool.Resize(10))
		time.Sleep(5 * time.Second)
		b.expect(4, "idle", idle) //poolgen:if hasStats
		b.release(h)
		require.NoError(t, b.closePool(time.Second)) // or it would go on ticking
	})
}

//poolgen:if hasResize && hasWarm
func TestResizeDuringAWarmKeepsTheNewSize(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10, MaxConcurrentCreates: 2}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.creating(take(time.Second))
		warmed := make(chan error, 1)
		go func() { warmed <- b.pool.Warm(b.ctx, 10, nil) }()
		time.Sleep(1500 * time.Millisecond)
		require.NoError(t, b.pool.Resize(3))
		require.ErrorContains(t, <-warmed, "10 connections are too many for 3 places")
		b.sound()
		time.Sleep(time.Minute)
		b.full(3)
		_, peak := b.tally()
		require.LessOrEqual(t, peak, 4)
	})
}

//poolgen:if hasResize
func TestAHugeSizeOverflowsNothing(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.acquireAll(2)
		require.NoError(t, b.pool.Resize(math.MaxInt))
		b.acquire()
		b.whole()
		require.NoError(t, b.pool.Resize(1))
		require.NoError(t, b.pool.Resize(math.MaxInt))
		b.acquire()
		require.NoError(t, b.pool.Resize(3))
	})
}

// It is the requester's turn again after a failed check, but Resize has left no place that it would not have to wait for.
//
//poolgen:if hasResize && hasCheck && hasTry && hasOutside
func TestWhoMayNotWaitForOthersDoesNotDoSoAfterAFailedCheck(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.overflows = true
		for _, acquire := range []func(context.Context) (Lease, error){b.pool.TryAcquire, b.pool.AcquireOrCreate} {
			require.NoError(t, b.pool.Resize(2))
			held := b.acquireAll(2)
			b.release(held[1])
			b.allDue()
			b.checking(take(time.Second).then(fail(errDirty)))
			r := b.start(b.ctx, acquire)
			require.NoError(t, b.pool.Resize(1))
			if r.wait().err == nil {
				require.True(t, r.served().Fresh())
				b.release(r.held)
			} else {
				require.ErrorIs(t, r.err, ErrPoolExhausted)
			}
			require.Equal(t, time.Second, r.took)
			b.heal()
			b.release(held[0])
		}
	})
}

// What Resize leaves too many may be a leased connection that goes anyway, as it is from before a Reset. Then the requester
// need not wait for it if the other idle connections are good, nor if they are found out to be dead and leave their places.
//
//poolgen:if hasResize && hasReset && hasCheck && hasTry && hasOutside
func TestWhoMayNotWaitForOthersGetsWhatTheyDoNotHaveAfterAFailedCheck(t *testing.T) {
	for _, dead := range []int{1, 2} {
		virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
			b.overflows = true
			for _, acquire := range []func(context.Context) (Lease, error){b.pool.TryAcquire, b.pool.AcquireOrCreate} {
				require.NoError(t, b.pool.Resize(3))
				old := b.acquire()
				b.pool.Reset()
				held := b.acquireAll(2)
				b.release(held[0])
				b.release(held[1])
				require.NoError(t, b.pool.Resize(2))
				b.allDue()
				var checks atomic.Int64
				b.checking(func(ctx context.Context, c *Conn) error {
					if checks.Add(1) <= int64(dead) {
						return errDirty
					}
					return nil
				})
				lease := b.start(b.ctx, acquire).served()
				require.False(t, lease.Fresh())
				b.heal()
				b.release(lease)
				b.release(old)
				b.pool.Reset()
			}
		})
	}
}

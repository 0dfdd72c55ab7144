package pool

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// tick is the time between two looks of the upkeep, where MinIdle or MaxIdle is set.
const tick = time.Second

//poolgen:if hasIdle
func TestCAP07MinIdleIsKeptUpWithoutRequests(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 5, MinIdle: 3}, func(t *testing.T, b *backend) {
		b.expect(3, "idle, from the start", idleOf)
		for _, h := range b.acquireAll(3) {
			h.Discard()
		}
		b.left(0)
		time.Sleep(tick)
		b.expect(3, "idle", idleOf)
		b.left(3)
		b.created(6)
	})
}

// The server drops all connections, which the checks in the background find out.
//
//poolgen:if hasIdle && hasBackground
func TestCAP07ConnectionsThatDieAreReplacedWithoutRequests(t *testing.T) {
	const period = 20 * time.Second
	ageing(t, PoolOptions{MaxSize: 5, MinIdle: 3, HealthCheckPeriod: period}, func(t *testing.T, b *backend) {
		b.expect(3, "idle", idleOf)
		b.kill()
		time.Sleep(period + 2*tick)
		b.expect(3, "idle", idleOf)
		require.EqualValues(t, 3, b.pool.Stats().RetiredUnhealthy)
		b.allDue()
		b.checking(fail(errDirty)) // none of the old ones is left to fail
		require.Equal(t, 3, b.pool.Stats().Idle)
		b.heal()
		b.left(3)
	})
}

//poolgen:if hasIdle && hasReset
func TestCAP07MinIdleIsKeptUpAfterAReset(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 5, MinIdle: 3}, func(t *testing.T, b *backend) {
		b.expect(3, "idle", idleOf)
		b.pool.Reset()
		b.left(0)
		time.Sleep(tick)
		b.expect(3, "idle", idleOf)
	})
}

//poolgen:if hasIdle
func TestCAP07AFailingServerIsTriedLessAndLessOftenAndOneAtATime(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 20, MinIdle: 10}, func(t *testing.T, b *backend) {
		b.expect(10, "idle", idleOf)
		b.creating(take(100 * time.Millisecond).then(fail(errRefused)))
		for _, h := range b.acquireAll(10) {
			h.Discard()
		}
		time.Sleep(5 * time.Minute)
		creates := b.creations()
		time.Sleep(time.Hour)
		creates = b.creations() - creates
		require.Less(t, creates, 200, "creates in an hour")
		require.Greater(t, creates, 60, "creates in an hour")
		b.heal()
		time.Sleep(64*tick + tick)
		b.expect(10, "idle", idleOf)
	})
}

//poolgen:if hasIdle && hasBreaker
func TestCAP07TheBreakerHoldsForCreatesInTheBackgroundToo(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 20, MinIdle: 10, BreakAfter: 5, BreakTime: 10 * time.Minute}, func(t *testing.T, b *backend) {
		b.expect(10, "idle", idleOf)
		for _, h := range b.acquireAll(10) {
			h.Discard()
		}
		b.creating(fail(errRefused))
		time.Sleep(9 * time.Minute)
		creates := b.creations()
		require.LessOrEqual(t, creates, 10+10, "with what was begun together")
		time.Sleep(time.Hour)
		require.LessOrEqual(t, b.creations()-creates, 7, "one for each BreakTime")
		b.heal()
		time.Sleep(12 * time.Minute)
		b.expect(10, "idle", idleOf)
	})
}

// The backend fails the test if there ever are more connections than places.
//
//poolgen:if hasIdle
func TestCAP08MinIdleNeverGoesBeyondMaxSize(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 6, MinIdle: 4, IdleTimeout: 8 * time.Millisecond})
	defer b.finish(b.rest)
	b.creating(func(ctx context.Context, c *Conn) error { return take(rand.N(2*time.Millisecond))(ctx, c) })
	var all sync.WaitGroup
	var stop atomic.Bool
	for range 12 {
		all.Go(func() {
			for !stop.Load() {
				h := b.acquire()
				time.Sleep(rand.N(time.Millisecond))
				if rand.IntN(3) == 0 {
					h.Discard()
				} else {
					h.Release()
				}
				time.Sleep(rand.N(4 * time.Millisecond))
			}
		})
	}
	for begun := time.Now(); time.Since(begun) < stressTime()/5; time.Sleep(time.Millisecond) {
		b.whole()
	}
	stop.Store(true)
	all.Wait()
}

//poolgen:if hasIdle
func TestCAP08WithoutRoomThereIsNoMinIdle(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 4, MinIdle: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(4)
		time.Sleep(10 * tick)
		b.left(4)
		b.release(held[0])
		time.Sleep(10 * tick)
		b.left(4)
		b.created(4)
	})
}

//poolgen:if hasIdle
func TestCAP09WhatIsReleasedBeyondMaxIdleIsClosed(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 10, MaxIdle: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(10)
		b.release(held[:3]...)
		time.Sleep(10 * tick)
		b.left(10)
		b.release(held[3:8]...)
		time.Sleep(tick)
		b.left(5)
		b.expect(3, "idle", idleOf)
		b.expect(2, "in use", inUseOf)
		require.Len(t, b.lifetimes(), 5, "calls of the close hook")
		require.EqualValues(t, 5, b.pool.Stats().RetiredSurplus)
	})
}

//poolgen:if hasIdle
func TestCAP09ByDefaultAnyNumberMayBeIdle(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 10, MinIdle: 1}, func(t *testing.T, b *backend) {
		b.idle(10)
		time.Sleep(100 * tick)
		b.left(10)
	})
}

//poolgen:if hasIdle
func TestCAP10MinIdleCountsWhatIsIdleBesideTheLeases(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 6, MinIdle: 2}, func(t *testing.T, b *backend) {
		b.expect(2, "idle", idleOf)
		for leased := 1; leased <= 6; leased++ {
			b.acquire()
			time.Sleep(tick)
			b.expect(leased, "in use", inUseOf)
			b.expect(min(2, 6-leased), "idle", idleOf)
		}
	})
}

//poolgen:if hasIdle
func TestCAP15AfterALoadThePoolShrinksToItsMinimum(t *testing.T) {
	const timeout = 20 * time.Second
	ageing(t, PoolOptions{MaxSize: 60, MinIdle: 5, IdleTimeout: timeout}, func(t *testing.T, b *backend) {
		b.expect(5, "idle", idleOf)
		b.creating(take(createTime))
		for range 3 {
			busy := func(clients int, d time.Duration) {
				for range clients {
					go during(d, time.Millisecond, func() {
						h := b.acquire()
						time.Sleep(time.Second)
						h.Release()
					})
				}
				time.Sleep(d - time.Millisecond)
			}
			busy(5, 2*timeout)
			require.LessOrEqual(t, b.connected(), 15)
			busy(60, timeout)
			b.left(60)
			busy(5, 4*timeout)
			require.LessOrEqual(t, b.connected(), 15, "what five clients need, and the minimum")
		}
		time.Sleep(2 * timeout)
		b.left(5)
		synctest.Wait()
	})
}

// connected returns how many connections are open on the server.
func (b *backend) connected() int {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open)
}

// creations returns how often the create hook has been called.
func (b *backend) creations() int {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.creates
}

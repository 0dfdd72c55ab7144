package pool

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCAP01ThereAreNeverMoreConnectionsThanPlaces(t *testing.T) {
	for range 50 {
		options := PoolOptions{MaxSize: 1 + rand.IntN(5), CreateTimeout: time.Second}
		virtual(t, options, func(t *testing.T, b *backend) {
			b.creating(func(ctx context.Context, c *Conn) error {
				switch rand.IntN(4) {
				case 0:
					return errRefused
				case 1:
					return deaf(rand.N(3*time.Second))(ctx, c)
				}
				return take(rand.N(300*time.Millisecond))(ctx, c)
			})
			for range 100 {
				ctx, cancel := context.WithTimeout(b.ctx, rand.N(time.Second)+1)
				defer cancel()
				b.launch(ctx, b.pool.Acquire, func(h *held) {
					end := (*held).Release
					if rand.IntN(2) == 0 {
						end = (*held).Discard
					}
					time.Sleep(rand.N(200 * time.Millisecond))
					end(h)
				})
				time.Sleep(rand.N(20 * time.Millisecond))
			}
		}) // which sees to the peak
	}
}

func TestCAP02ARequesterWaitsForAReleaseAndGetsThatConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		r := b.request(b.ctx)
		time.Sleep(time.Minute)
		r.waits()
		b.release(h)
		require.Same(t, h.Conn(), r.served().Conn())
		require.Equal(t, time.Minute, r.took)
		b.created(1)
	})
}

func TestCAP03DiscardFreesThePlaceForAWaiter(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		waiter := b.request(b.ctx)
		h.Discard()
		require.NotSame(t, h.Conn(), waiter.served().Conn())
		b.created(2)
	})
}

//poolgen:if hasBroken
func TestCAP04AConnectionRefusedOnReleaseFreesItsPlaceForAWaiter(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		first, second := b.request(b.ctx), b.request(b.ctx)
		b.breaking(func(*Conn) bool { return true })
		b.release(h)
		require.NotSame(t, h.Conn(), first.served().Conn())
		b.release(first.held)
		require.NotSame(t, first.held.Conn(), second.served().Conn())
		b.created(3)
	})
}

//poolgen:if hasClose
func TestCAP05ACloseHookThatBlocksDoesNotHoldUpOthers(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		b.closing(deaf(5 * time.Minute))
		begun := time.Now()
		held[0].Discard()
		require.Zero(t, time.Since(begun), "the discarder does not wait")
		if hasStats {
			b.expect(1, "closing", func(s PoolStats) int { return s.Closing })
		}
		b.release(held[1])
		for range 2 { // an idle connection, and a vacant place
			r := b.request(b.ctx)
			r.served()
			require.Zero(t, r.took)
		}
	})
}

//poolgen:if hasDemand
func TestCAP11ASpikeOfShortLeasesMakesNoDialStorm(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		b.stock(5)
		took := b.load(50, 2*time.Millisecond)
		require.LessOrEqual(t, took[49], 25*time.Millisecond)
		require.LessOrEqual(t, b.connections(), 7)
	})
}

func TestCAP12AReleasedConnectionServesARequesterWhoseCreateIsSlow(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, CreateTimeout: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.creating(take(10 * time.Second))
		r := b.request(b.ctx)
		time.Sleep(100 * time.Millisecond)
		b.release(h)
		require.Same(t, h.Conn(), r.served().Conn())
		require.Equal(t, 100*time.Millisecond, r.took)
		time.Sleep(10 * time.Second)
		late := b.request(b.ctx)
		late.served()
		require.Zero(t, late.took)
		b.created(2)
	})
}

//poolgen:if hasLimits
func TestCAP13MaxConcurrentCreates(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50, MaxConcurrentCreates: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		for _, r := range b.requests(50) {
			require.NoError(t, r.wait().err)
			require.LessOrEqual(t, r.took, 27*time.Second)
		}
		b.peaked(2)
	})
}

func TestCAP14CreatesStopWithinOneWhenABurstHasEnded(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		b.load(20, 10*time.Millisecond)
		b.mu.Lock()
		creates := b.creates
		b.mu.Unlock()
		time.Sleep(createTime)
		if hasStats {
			require.Zero(t, b.pool.Stats().Creating)
		}
		time.Sleep(time.Hour)
		b.created(creates)
	})
}

func TestCAP17ALateConnectionGoesToTheNextWaiterElseItIsIdle(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.creating(take(5 * time.Second))
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		b.request(ctx).wait().failed()
		second := b.request(b.ctx).wait()
		require.Equal(t, 4*time.Second, second.took)
		b.created(2)

		second.held.Discard()
		ctx, cancel = context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		b.request(ctx).wait().failed()
		time.Sleep(5 * time.Second)
		b.release(h)
		b.acquireAll(2)
		b.created(3)
	})
}

//poolgen:if hasIdle && hasBackground && hasStats
func TestCAP18UpkeepNeitherOvercreatesNorStallsWhileAllConnectionsAreBusy(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5, MinIdle: 2, HealthCheckPeriod: 10 * time.Second}, func(t *testing.T, b *backend) {
		held := b.acquireAll(5)
		waiters := b.requests(2)
		time.Sleep(10 * time.Minute)
		b.created(5)
		b.checked(0)
		waiters[0].waits()
		b.release(held...)
		waiters[0].served()
		waiters[1].served()
		time.Sleep(11 * time.Second)
		b.mu.Lock()
		require.GreaterOrEqual(t, b.checks, 3, "the idle ones")
		b.mu.Unlock()
		waiters[0].held.Discard()
		b.acquireAll(2)
		time.Sleep(3 * time.Second)
		b.expect(2, "idle", func(s PoolStats) int { return s.Idle })
		b.closePool(0) // so that the upkeep ends
	})
}

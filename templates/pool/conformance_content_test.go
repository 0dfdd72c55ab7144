package pool

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// made returns a connection that the backend knows, but not the pool.
func (b *backend) made() *Conn { return b.connect(b.ctx, nil) }

//poolgen:if hasWarm
func TestBAS14WhenWarmReturnsKConnectionsAreIdle(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		begun := time.Now()
		require.NoError(t, b.pool.Warm(b.ctx, 3, nil))
		require.Equal(t, time.Second, time.Since(begun), "they are created at the same time")
		require.Equal(t, 3, b.pool.Stats().Idle) //poolgen:if hasStats
		begun = time.Now()
		b.acquireAll(3)
		require.Zero(t, time.Since(begun))
		b.created(3)
	})
}

//poolgen:if hasWarm
func TestBAS14AWarmedPoolIsReadyAlthoughItsConnectionsMustBeChecked(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.allDue()
		require.NoError(t, b.pool.Warm(b.ctx, 3, nil))
		b.expect(3, "idle", idle) //poolgen:if hasStats
		b.acquireAll(3)
		b.checked(3)
	})
}

//poolgen:if hasWarm && hasClose
func TestBAS15AFailedEagerStartIsAnErrorInTimeAndClosesWhatWasOpened(t *testing.T) {
	for name, bad := range map[string]struct {
		create script
		want   error
		after  time.Duration
	}{
		"error":    {take(time.Second).then(fail(errRefused)), errRefused, time.Second},
		"deadline": {take(time.Hour), context.DeadlineExceeded, 2 * time.Second},
		"deaf":     {deaf(time.Hour), context.DeadlineExceeded, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
				b.creating(inTurn(succeed, take(500*time.Millisecond), bad.create, take(time.Second/2)))
				ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
				defer cancel()
				begun := time.Now()
				require.ErrorIs(t, b.pool.Warm(ctx, 4, nil), bad.want)
				require.Equal(t, bad.after, time.Since(begun))
				b.left(0)
				require.NoError(t, b.request(b.ctx).wait().err, "the pool is good for another try")
			})
		})
	}
}

//poolgen:if hasWarm && hasReset
func TestWhatIsWarmedWhileThePoolIsResetIsStaleToo(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		warmed := make(chan error, 1)
		go func() { warmed <- b.pool.Warm(b.ctx, 2, nil) }()
		time.Sleep(500 * time.Millisecond)
		b.pool.Reset()
		require.NoError(t, <-warmed)
		b.left(0)
		b.acquireAll(2)
		b.created(4)
	})
}

//poolgen:if hasWarm && hasDrain
func TestWarmOfADrainingPoolIsRefused(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		h := b.acquire()
		drained := b.drainLater(b.ctx)
		require.ErrorIs(t, b.pool.Warm(b.ctx, 3, nil), ErrPoolClosed)
		b.created(1)
		b.release(h)
		require.NoError(t, <-drained)
	})
}

//poolgen:if hasRetain
func TestBAS16ASweepSeesExactlyTheIdleConnections(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 6}, func(t *testing.T, b *backend) {
		held := b.acquireAll(5)
		b.release(held[1], held[2], held[4])
		seen := map[*Conn]int{}
		b.pool.Retain(func(c *Conn) bool {
			seen[c]++
			b.set(func() { b.untouched("sweep", c) })
			return true
		})
		require.Equal(t, map[*Conn]int{held[1].Conn(): 1, held[2].Conn(): 1, held[4].Conn(): 1}, seen)
		b.expect(3, "idle", idle) //poolgen:if hasStats
		b.left(5)
	})
}

//poolgen:if hasRetain
func TestBAS16ASweptConnectionIsNobodyElsesMeanwhile(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 8})
	defer b.finish(b.rest)
	for _, h := range b.acquireAll(8) {
		h.Release()
	}
	var stop atomic.Bool
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for !stop.Load() {
				h := b.acquire()
				runtime.Gosched()
				h.Release()
			}
		})
	}
	swept := 0
	for range 2 {
		all.Go(func() {
			for !stop.Load() {
				b.pool.Retain(func(c *Conn) (keep bool) {
					b.set(func() {
						a := b.untouched("sweep", c)
						if a.checks++; a.checks > 1 {
							b.violation("two sweeps of connection %d at a time", a.number)
						}
						swept++
						keep = swept%100 != 0
					})
					runtime.Gosched()
					b.set(func() { b.conns[c].checks-- })
					return keep
				})
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	stop.Store(true)
	all.Wait()
	require.NotZero(t, swept)
}

//poolgen:if hasRetain
func TestASweptConnectionServesWhoeverCameMeanwhile(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		conns := b.stocked(1)
		var waiter *request
		b.pool.Retain(func(*Conn) bool {
			waiter = b.request(b.ctx)
			waiter.waits()
			return true
		})
		require.Same(t, conns[0], waiter.served().Conn())
	})
}

//poolgen:if hasRetain
func TestASweepMayUseThePool(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.stocked(3)
		b.pool.Retain(func(c *Conn) bool {
			b.whole()
			b.pool.Retain(func(other *Conn) bool { return other != c })
			b.acquire().Release()
			return false
		})
		b.expect(3, "vacant or idle", func(s PoolStats) int { return s.Vacant + s.Idle }) //poolgen:if hasStats
	})
}

//poolgen:if hasRetain && hasClose
func TestASweepThatPanicsClosesOnlyTheConnectionItWasAt(t *testing.T) {
	for name, s := range map[string]script{"panic": panicking("oh no"), "Goexit": exit} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
				b.stocked(3)
				ended := make(chan any)
				go func() {
					defer func() { ended <- recover() }()
					b.pool.Retain(func(c *Conn) bool { _ = s(b.ctx, c); return true })
				}()
				if v := <-ended; name == "panic" {
					require.Equal(t, "oh no", v, "the panic is the caller's")
				}
				b.left(2)
				b.expect(2, "idle", idle) //poolgen:if hasStats
			})
		})
	}
}

//poolgen:if hasDetach
func TestCAP06ADetachedConnectionIsNeitherClosedNorHandedOutAndItsPlaceIsFree(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		waiter := b.request(b.ctx)
		require.Same(t, h.Conn(), h.Detach())
		next := waiter.served()
		require.NotSame(t, h.Conn(), next.Conn())
		b.release(next)
		require.NoError(t, b.closePool(time.Second), "Close does not wait for it")
		require.Zero(t, b.closed(h.Conn()))
	})
}

//poolgen:if hasDetach && hasReset && hasLifetime
func TestADetachedConnectionIsOutOfReachOfThePool(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, MaxLifetime: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.pool.Reset() // and not because it was doomed
		require.Same(t, h.Conn(), h.Detach())
		require.Nil(t, h.Lease.Detach(), "once only")
		time.Sleep(time.Hour)
		require.Zero(t, b.closed(h.Conn()))
		b.acquireAll(2)
		b.pool.Reset()
		require.Zero(t, b.closed(h.Conn()))
	})
}

//poolgen:if !fixedSize
func TestCAP16AMaximumOfMaxInt32AllocatesAndOverflowsNothing(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, places := range []int{math.MaxInt32, math.MaxInt} {
		virtual(t, PoolOptions{MaxSize: places}, func(t *testing.T, b *backend) {
			b.release(b.acquireAll(20)...)
			b.created(20)
			b.whole()
			b.expect(places-20, "vacant", vacant) //poolgen:if hasStats
			b.release(b.acquire())
			b.created(20)
			require.Equal(t, 20, b.pool.places())
			require.NoError(t, b.closePool(time.Second))
		})
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
}

//poolgen:if hasInsert
func TestInsertPutsAConnectionIntoThePool(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		c := b.made()
		require.NoError(t, b.pool.Insert(c))
		b.expect(1, "idle", idle) //poolgen:if hasStats
		h := b.acquire()
		require.Same(t, c, h.Conn())
		b.release(h)
		require.Same(t, c, b.acquire().Conn(), "it is pooled as any other")
		b.created(0)
	})
}

//poolgen:if hasInsert
func TestAnInsertedConnectionServesWhoeverHasWaitedLongest(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		first, second := b.request(b.ctx), b.request(b.ctx)
		c := b.made()
		require.NoError(t, b.pool.Insert(c))
		require.Same(t, c, first.served().Conn())
		second.waits()
	})
}

//poolgen:if hasInsert && hasClose
func TestInsertIntoAFullPoolClosesTheConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true // the server saw the one that was refused
		b.acquire()
		c := b.made()
		require.ErrorIs(t, b.pool.Insert(c), ErrPoolExhausted)
		require.Equal(t, 1, b.closed(c))
		b.left(1)
	})
}

//poolgen:if hasInsert && hasClose
func TestInsertIntoAClosedPoolClosesTheConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		require.NoError(t, b.closePool(time.Second))
		c := b.made()
		require.ErrorIs(t, b.pool.Insert(c), ErrPoolClosed)
		require.Equal(t, 1, b.closed(c))
	})
}

//poolgen:if hasInsert && hasDrain && hasClose
func TestInsertIntoADrainingPoolClosesTheConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		h := b.acquire()
		drained := b.drainLater(b.ctx)
		c := b.made()
		require.ErrorIs(t, b.pool.Insert(c), ErrPoolClosed)
		require.Equal(t, 1, b.closed(c))
		b.release(h)
		require.NoError(t, <-drained)
	})
}

//poolgen:if hasInsert
func TestInsertOfNothingIsAnError(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		require.ErrorContains(t, b.pool.Insert(nil), "no connection")
		b.expect(2, "vacant", vacant) //poolgen:if hasStats
	})
}

// Warm leaves three places that were ready for whoever wanted them when they were vacated.
//
//poolgen:if hasInsert && hasCheck && hasWarm && hasLimits
func TestAnInsertedConnectionIsCheckedIfItIsDue(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4, MaxConcurrentCreates: 1}, func(t *testing.T, b *backend) {
		b.creating(inTurn(succeed, succeed, succeed, fail(errRefused)))
		require.Error(t, b.pool.Warm(b.ctx, 4, nil))
		b.allDue()
		b.creating(take(time.Second))
		first, second := b.request(b.ctx), b.request(b.ctx)
		c := b.made()
		require.NoError(t, b.pool.Insert(c))
		require.Same(t, c, first.served().Conn())
		b.checked(1)
		require.NoError(t, second.wait().err)
	})
}

//poolgen:if hasInsert && hasLifetime
func TestAnInsertedConnectionAgesAsAnyOther(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, MaxLifetime: time.Minute}, func(t *testing.T, b *backend) {
		c := b.made()
		require.NoError(t, b.pool.Insert(c))
		time.Sleep(50 * time.Second)
		require.Zero(t, b.closed(c))
		time.Sleep(10 * time.Second)
		require.Equal(t, 1, b.closed(c))
	})
}

//poolgen:if hasInsert
func TestInsertAndDetachMoveConnectionsBetweenPools(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := newBackend(t, PoolOptions{MaxSize: 3}), newBackend(t, PoolOptions{MaxSize: 3})
		defer to.finish(synctest.Wait)
		defer from.finish(synctest.Wait)
		h := from.acquire()
		c := h.Detach()
		to.set(func() { a := &account{number: 1}; to.conns[c], to.open[c] = a, a })
		require.NoError(t, to.pool.Insert(c))
		require.NoError(t, from.closePool(time.Second))
		require.Same(t, c, to.acquire().Conn())
		require.True(t, errors.Is(from.pool.Insert(from.made()), ErrPoolClosed))
	})
}

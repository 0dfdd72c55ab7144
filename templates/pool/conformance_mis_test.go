package pool

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMIS01ASecondReleaseHasNoEffect(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		h := b.acquire()
		first, second, third := b.request(b.ctx), b.request(b.ctx), b.request(b.ctx)
		first.served()
		b.release(h)
		second.served()
		before := b.fates()
		resets := b.resets
		for range 3 {
			h.Lease.Release()
			synctest.Wait()
		}
		require.Equal(t, before, b.fates())
		require.Equal(t, resets, b.resets)
		third.waits()
	})
}

// The second holder has the same connection in the same place, by all three ways to get there.
func TestMIS02AStaleLeaseLeavesTheConnectionToItsNewHolder(t *testing.T) {
	for name, end := range endings {
		for way, next := range map[string]func(b *backend, old *held) *held{
			"idle between": func(b *backend, old *held) *held { b.release(old); return b.acquire() },
			"handed over": func(b *backend, old *held) *held {
				r := b.request(b.ctx)
				b.release(old)
				return r.served()
			},
			"checked between": func(b *backend, old *held) *held { //poolgen:if hasCheck
				b.release(old)
				b.allDue()
				return b.acquire()
			},
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
					old := b.acquire()
					now := next(b, old)
					require.Same(t, old.Conn(), now.Conn())
					waiter := b.request(b.ctx)
					end(old.Lease)
					waiter.waits()
					require.Zero(t, b.closed(now.Conn()))
					b.release(now)
					waiter.served()
				})
			})
		}
	}
}

// A reset of the pool marks places of leases that have not ended; that does not revive those that have.
//
//poolgen:if hasReset
func TestMIS02AStaleLeaseIsStaleThoughThePoolWasReset(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		old := b.acquire()
		b.release(old)
		now := b.acquire()
		b.pool.Reset()
		for _, end := range endings {
			end(old.Lease)
		}
		require.Zero(t, b.closed(now.Conn()))
		b.expect(1, "in use", inUse) //poolgen:if hasStats
		b.release(now)
		after := b.acquire()
		for _, end := range endings {
			end(now.Lease)
		}
		require.Zero(t, b.closed(after.Conn()))
		b.expect(1, "in use", inUse) //poolgen:if hasStats
	})
}

// A lease is a value that knows its pool: there is no call that could name another one.
func TestMIS04ALeaseGoesBackToThePoolItCameFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := newBackend(t, PoolOptions{MaxSize: 1}), newBackend(t, PoolOptions{MaxSize: 1})
		defer other.finish(synctest.Wait)
		defer one.finish(synctest.Wait)
		from, to := one.acquire(), other.acquire()
		waiter, stranger := one.request(one.ctx), other.request(other.ctx)
		from.Release()
		require.Same(t, from.Conn(), waiter.served().Conn())
		stranger.waits()
		to.Release()
		require.Same(t, to.Conn(), stranger.served().Conn())
	})
}

//poolgen:if hasClose
func TestMIS05EndingALeaseAfterCloseIsSafe(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				h := b.acquire()
				require.Error(t, b.closePool(time.Second))
				h.leave()
				b.set(func() {
					if a := b.conns[h.Conn()]; name == "Detach" {
						a.gone = true
						delete(b.open, h.Conn())
					}
				})
				end(h.Lease)
				b.left(0)
				require.NoError(t, b.closePool(0), "none is left")
				for _, again := range endings {
					again(h.Lease)
				}
				require.NoError(t, b.closePool(0))
			})
		})
	}
}

func TestMIS06ANilContextIsAPanicThatDoesNotLeaveThePoolLocked(t *testing.T) {
	for name, call := range map[string]func(p *Pool){
		"Acquire":         func(p *Pool) { _, _ = p.Acquire(noContext) },
		"TryAcquire":      func(p *Pool) { _, _ = p.TryAcquire(noContext) },                          //poolgen:if hasTry
		"AcquireOrCreate": func(p *Pool) { _, _ = p.AcquireOrCreate(noContext) },                     //poolgen:if hasOutside
		"With":            func(p *Pool) { _ = p.With(noContext, func(*Conn) error { return nil }) }, //poolgen:if hasWith
		"Warm":            func(p *Pool) { _ = p.Warm(noContext, 1, nil) },                           //poolgen:if hasWarm
		"Drain":           func(p *Pool) { _ = p.Drain(noContext) },                                  //poolgen:if hasDrain
		"Close":           func(p *Pool) { _ = p.Close(noContext) },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
				h := b.acquire()
				require.Panics(t, func() { call(b.pool) })
				b.whole()
				b.release(h)
				r := b.request(b.ctx)
				if name == "Close" || name == "Drain" {
					require.ErrorIs(t, r.failed(), ErrPoolClosed, "it had begun")
				} else {
					require.Same(t, h.Conn(), r.served().Conn())
				}
			})
		})
	}
}

// There is no factory that could be nil: the hooks are the code of the pool.
func TestMIS07APoolThatNobodyMadeFailsAtOnceEveryTime(t *testing.T) {
	for name, call := range map[string]func(p *Pool) error{
		"Acquire": func(p *Pool) error { _, err := p.Acquire(context.Background()); return err },
		"Close":   func(p *Pool) error { return p.Close(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			p := new(Pool)
			for range 2 {
				failed := make(chan any, 1)
				go func() {
					defer func() { failed <- recover() }()
					panic(call(p))
				}()
				select {
				case v := <-failed:
					require.NotNil(t, v)
				case <-time.After(5 * time.Second):
					require.Fail(t, "it hangs")
				}
			}
		})
	}
}

// leases returns how many leases have begun, and how many have not ended.
func (b *backend) leases() (begun uint64, left int) {
	if hasStats {
		s := b.pool.Stats()
		return s.Acquired, s.InUse
	}
	return 0, 0
}

// The place knows how often it was leased: one of the ends wins, and its effect is there once.
func TestMIS08OfConcurrentEndsOfALeaseExactlyOneWins(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 2})
	defer b.finish(b.rest)
	for begun, i := time.Now(), 0; time.Since(begun) < 300*time.Millisecond; i++ {
		h := b.acquire()
		h.leave()
		var start, all sync.WaitGroup
		start.Add(1)
		var detached atomic.Int32
		leases, _ := b.leases()
		ways := []func(){h.Lease.Release, h.Lease.Discard}
		ways = append(ways, func() { //poolgen:if hasDetach
			if c := h.Lease.Detach(); c != nil {
				detached.Add(1)
				b.set(func() { b.conns[c].gone = true; delete(b.open, c) })
			}
		})
		for j := range 4 {
			all.Go(func() { start.Wait(); ways[(i+j)%len(ways)]() })
		}
		start.Done()
		all.Wait()
		require.LessOrEqual(t, detached.Load(), int32(1))
		b.rest()
		ended, left := b.leases()
		require.Equal(t, leases, ended, "one lease has ended")
		require.Zero(t, left)
		b.balanced()
	}
}

// While the place is marked by a reset or a resize, too.
//
//poolgen:if hasReset
func TestMIS08OfConcurrentEndsExactlyOneWinsThoughThePoolIsReset(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 1})
	defer b.finish(b.rest)
	for begun := time.Now(); time.Since(begun) < 300*time.Millisecond; {
		h := b.acquire()
		h.leave()
		var start, all sync.WaitGroup
		start.Add(1)
		for _, f := range []func(){h.Lease.Release, h.Lease.Discard, h.Lease.Release, b.pool.Reset} {
			all.Go(func() { start.Wait(); f() })
		}
		start.Done()
		all.Wait()
		b.rest()
		_, left := b.leases()
		require.Zero(t, left)
		b.balanced()
	}
}

func TestMIS09DiscardingALeaseThatHasEndedDoesNothing(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.release(h)
		before := b.fates()
		h.Lease.Discard()
		require.Nil(t, h.Lease.Detach()) //poolgen:if hasDetach
		require.Zero(t, b.closed(h.Conn()))
		require.Equal(t, before, b.fates())
		require.Same(t, h.Conn(), b.acquire().Conn())
	})
}

func TestMIS10ANestedAcquireEndsAtItsDeadlineAndSaysThatAllAreInUse(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.acquireAll(2)
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		begun := time.Now()
		_, err := b.pool.Acquire(ctx) // by who holds them
		require.Equal(t, time.Second, time.Since(begun))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "waited 1s")                                //poolgen:if hasStats
		require.ErrorContains(t, err, "of 2 places 2 are in use, 0 being filled") //poolgen:if hasStats
	})
}

// An extreme: all connections are the same one.
func TestMIS11ALeaseIsKnownByItsPlaceAndNotByItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var closes atomic.Int32
		only := &Conn{id: 1}
		b := newBackend(t, PoolOptions{MaxSize: 3})
		p := b.pool
		p.context.create = func(context.Context) (*Conn, error) { return only, nil }
		p.context.close = func(context.Context, *Conn) error { closes.Add(1); return nil }
		p.context.needs = func(*Conn) bool { return false }
		p.context.broken = func(*Conn) bool { return false }
		p.context.reset = func(context.Context, *Conn) error { return nil }
		var leases []Lease
		for range 3 {
			lease, err := p.Acquire(b.ctx)
			require.NoError(t, err)
			require.Same(t, only, lease.Conn())
			leases = append(leases, lease)
		}
		leases[0].Release()
		leases[0].Discard()
		leases[1].Discard()
		synctest.Wait()
		b.expect(1, "idle", idle)     //poolgen:if hasStats
		b.expect(1, "vacant", vacant) //poolgen:if hasStats
		b.expect(1, "in use", inUse)  //poolgen:if hasStats
		require.EqualValues(t, 1, closes.Load())
		leases[2].Release()
		require.NoError(t, p.Close(b.ctx))
		require.EqualValues(t, 3, closes.Load())
		b.end()
	})
}

// vet warns of copies of what has a field whose pointer is a locker.
func TestMIS12VetWarnsOfACopyOfThePool(t *testing.T) {
	guarded := func(pool reflect.Type) bool {
		for _, field := range reflect.VisibleFields(pool) {
			if reflect.PointerTo(field.Type).Implements(reflect.TypeFor[sync.Locker]()) {
				return true
			}
		}
		return false
	}
	require.True(t, guarded(reflect.TypeFor[Pool]()))
	require.True(t, guarded(reflect.TypeFor[Pools]())) //poolgen:if hasKeyed
	require.False(t, guarded(reflect.TypeFor[Lease]()), "a lease may be copied")
}

package pool

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

//poolgen:if hasReset && hasClose && hasStats
func TestRST01ResetClosesAllIdleConnections(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		conns := b.stocked(5)
		b.pool.Reset()
		for _, c := range conns {
			require.Equal(t, 1, b.closed(c))
		}
		b.expect(5, "vacant", vacant)                          //poolgen:if hasStats
		require.EqualValues(t, 5, b.pool.Stats().RetiredReset) //poolgen:if hasStats
		require.NotContains(t, conns, b.acquire().Conn())
	})
}

//poolgen:if hasReset && hasClose
func TestRST02ResetClosesLeasedConnectionsOnReleaseAndNotBefore(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		b.pool.Reset()
		b.pool.Reset() // once more makes no difference
		time.Sleep(time.Hour)
		require.Zero(t, b.closed(held[0].Conn()))
		b.release(held[0])
		require.Equal(t, 1, b.closed(held[0].Conn()))
		require.Zero(t, b.closed(held[1].Conn()))
		next := b.acquire()
		require.NotSame(t, held[0].Conn(), next.Conn())
		b.release(next)
		require.Zero(t, b.closed(next.Conn()), "it came after the reset")
		held[1].Discard()
		require.Equal(t, 1, b.closed(held[1].Conn()))
		b.acquireAll(2)
	})
}

//poolgen:if hasReset && hasClose
func TestRST03AConnectionWhoseCreateBeganBeforeTheResetIsStaleOnArrival(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(inTurn(take(time.Second), succeed))
		r := b.request(b.ctx)
		time.Sleep(500 * time.Millisecond)
		b.pool.Reset()
		r.waits()
		next := r.wait().served()
		require.Equal(t, time.Second, r.took)
		b.created(2)
		b.set(func() {
			require.Equal(t, 2, b.conns[next.Conn()].number, "not the first one")
		})
		b.left(1)
	})
}

// The connection is late: its requester has left when it comes.
//
//poolgen:if hasReset && hasClose
func TestRST03AStaleConnectionThatNobodyWaitsForIsNotIdle(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
		defer cancel()
		require.Error(t, b.request(ctx).wait().err)
		b.pool.Reset()
		time.Sleep(time.Minute)
		b.left(0)
		b.expect(2, "vacant", vacant) //poolgen:if hasStats
	})
}

//poolgen:if hasReset && hasRetry && hasClose
func TestRST03ACreateThatIsTriedAgainAfterTheResetIsStaleToo(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 3}, func(t *testing.T, b *backend) {
		b.creating(inTurn(take(time.Second).then(fail(errRefused)), succeed))
		r := b.request(b.ctx)
		b.pool.Reset()
		require.NoError(t, r.wait().err)
		b.created(3)
		b.left(1)
	})
}

//poolgen:if hasReset && hasCheck && hasClose
func TestRST03AConnectionUnderCheckDuringTheResetIsNotPooledAgain(t *testing.T) {
	for name, check := range map[string]script{"passes": take(500 * time.Millisecond), "fails": take(500 * time.Millisecond).then(fail(errDirty))} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				old := b.stocked(1)[0]
				b.allDue()
				b.checking(check)
				r := b.request(b.ctx)
				b.pool.Reset()
				b.release(r.wait().served())
				require.Equal(t, 1, b.closed(old))
			})
		})
	}
}

//poolgen:if hasReset && hasCheck && hasClose
func TestRST03ARequesterWhoseConnectionIsUnderCheckDuringTheResetGetsAnother(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		old := b.stocked(1)[0]
		b.allDue()
		b.checking(take(500 * time.Millisecond))
		r := b.request(b.ctx)
		b.pool.Reset()
		require.NotSame(t, old, r.wait().served().Conn())
	})
}

//poolgen:if hasReset && resetsAway && hasClose
func TestRST03AConnectionBeingCleanedDuringTheResetIsNotPooledAgain(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.resetting(unlessHere(take(500 * time.Millisecond)))
		b.release(h)
		b.pool.Reset()
		time.Sleep(time.Second)
		require.Equal(t, 1, b.closed(h.Conn()))
		b.expect(1, "vacant", vacant) //poolgen:if hasStats
	})
}

//poolgen:if hasReset
func TestRST04WaitersSurviveTheResetAndGetNewConnections(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		all := b.requests(4)
		b.pool.Reset()
		for _, r := range all {
			r.waits()
		}
		b.release(held...)
		for _, r := range all {
			next := r.wait().served()
			for _, h := range held {
				require.NotSame(t, h.Conn(), next.Conn())
			}
			b.release(next)
		}
		b.created(4)
	})
}

//poolgen:if hasClose && hasStats
func TestRST05DiscardFreesThePlaceAndClosesTheConnectionOnce(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		waiter := b.request(b.ctx)
		for range 3 {
			h.Discard()
			h.Release()
			synctest.Wait()
		}
		require.Equal(t, 1, b.closed(h.Conn()))
		next := waiter.served()
		require.NotSame(t, h.Conn(), next.Conn())
		require.EqualValues(t, 1, b.pool.Stats().RetiredDiscarded) //poolgen:if hasStats
		h.Discard()
		require.Zero(t, b.closed(next.Conn()), "the place is somebody else's")
	})
}

func TestRST06TenThousandLeasesThatAreDiscardedAtTheSameTimeLoseNothing(t *testing.T) {
	options := PoolOptions{MaxSize: 8}
	options.HealthCheckTimeout = time.Minute //poolgen:if hasCheck // bounds a close, too: on a busy machine one takes its time
	b := newBackend(t, options)
	defer b.finish(b.rest)
	users, rounds := 20, 500
	if testing.Short() {
		rounds = 100
	}
	var all sync.WaitGroup
	for range users {
		all.Go(func() {
			for range rounds {
				h := b.acquire()
				h.leave()
				go h.Lease.Discard() // of a copy, at the same time
				h.Lease.Discard()
			}
		})
	}
	all.Wait()
	b.rest()
	b.created(users * rounds)
	open, peak := b.tally()
	require.Zero(t, open)
	require.LessOrEqual(t, peak, 8)
}

//poolgen:if hasRetain && hasClose && hasStats
func TestRST07RetainClosesExactlyTheIdleConnectionsThatItIsTold(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 6}, func(t *testing.T, b *backend) {
		held := b.acquireAll(6)
		b.release(held[:4]...)
		unwanted := map[*Conn]bool{held[1].Conn(): true, held[3].Conn(): true, held[5].Conn(): true}
		b.pool.Retain(func(c *Conn) bool { return !unwanted[c] })
		for i, closes := range []int{0, 1, 0, 1, 0, 0} {
			require.Equal(t, closes, b.closed(held[i].Conn()), "connection %d", i)
		}
		b.expect(2, "idle", idle)                                  //poolgen:if hasStats
		b.expect(2, "vacant", vacant)                              //poolgen:if hasStats
		require.EqualValues(t, 2, b.pool.Stats().RetiredDiscarded) //poolgen:if hasStats
	})
}

//poolgen:if hasReset
func TestRST08AfterAChangeOfCredentialsNewConnectionsUseTheNewOnes(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		var mu sync.Mutex
		password, used := "old", []string{}
		b.creating(func(context.Context, *Conn) error {
			mu.Lock()
			defer mu.Unlock()
			used = append(used, password)
			return nil
		})
		held := b.acquireAll(3)
		b.release(held[0])
		mu.Lock()
		password = "new"
		mu.Unlock()
		b.pool.Reset()
		next := b.acquire()
		require.Equal(t, []string{"old", "old", "old", "new"}, used)
		b.left(3) // the leased ones are used for as long as they are needed
		b.release(held[1:]...)
		b.left(1)
		b.release(next)
		require.Same(t, next.Conn(), b.acquire().Conn())
	})
}

//poolgen:if resetsHere || resetsAway
func TestRST09TheResetHookRunsBeforeTheNextHolderHasTheConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		session := map[*Conn]string{}
		b.resetting(take(time.Second).then(func(_ context.Context, c *Conn) error { delete(session, c); return nil }))
		h := b.acquire()
		waiter := b.request(b.ctx)
		session[h.Conn()] = "search_path=private"
		go h.Release()
		require.Same(t, h.Conn(), waiter.wait().served().Conn())
		require.Empty(t, session, "the one who waited")
		session[h.Conn()] = "search_path=private"
		b.release(waiter.held)
		require.Same(t, h.Conn(), b.acquire().Conn())
		require.Empty(t, session, "and the one who came later")
	})
}

//poolgen:if (resetsHere || resetsAway) && hasClose
func TestRST10AConnectionWhoseResetHookFailsIsClosedAndTheWaiterServed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.resetting(fail(errDirty))
		h := b.acquire()
		first, second := b.request(b.ctx), b.request(b.ctx)
		b.release(h)
		require.Equal(t, 1, b.closed(h.Conn()))
		next := first.served()
		require.NotSame(t, h.Conn(), next.Conn())
		b.resetting(succeed)
		b.release(next)
		require.Same(t, next.Conn(), second.served().Conn())
	})
}

//poolgen:if hasBroken && hasClose
func TestRST11AConnectionLeftDirtyIsNeverReused(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		dirty := map[*Conn]bool{}
		b.breaking(func(c *Conn) bool { return dirty[c] })
		h := b.acquire()
		dirty[h.Conn()] = true // a reply that nobody read
		b.release(h)
		require.Equal(t, 1, b.closed(h.Conn()))
		next := b.acquire()
		require.NotSame(t, h.Conn(), next.Conn())
		b.release(next)
		require.Same(t, next.Conn(), b.acquire().Conn(), "a clean one is")
	})
}

//poolgen:if hasWith && hasClose
func TestRST11AConnectionLeftInTheMiddleOfACancelledUseIsNeverReused(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		ctx, cancel := context.WithCancel(b.ctx)
		var used *Conn
		err := b.pool.With(ctx, func(c *Conn) error {
			used = c
			cancel()
			return errDirty
		})
		require.ErrorIs(t, err, errDirty)
		require.Equal(t, 1, b.closed(used))
		require.NotSame(t, used, b.acquire().Conn())
	})
}

//poolgen:if hasFatal && hasClose
func TestRST11AConnectionWhoseUseEndedWithAFatalErrorIsNeverReused(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		h.leave()
		h.ReleaseErr(errors.Join(errors.New("read"), errFatal))
		require.Equal(t, 1, b.closed(h.Conn()))
		next := b.acquire()
		next.leave()
		next.ReleaseErr(errors.New("no rows"))
		require.Zero(t, b.closed(next.Conn()))
		require.Same(t, next.Conn(), b.acquire().Conn())
	})
}

// A fresh connection is closed on release anyway.
//
//poolgen:if hasReset && hasOutside && hasClose
func TestResetLeavesFreshConnectionsToTheirHolders(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.acquire()
		lease, err := b.pool.AcquireOrCreate(b.ctx)
		require.NoError(t, err)
		fresh := b.hold(lease)
		b.pool.Reset()
		require.Zero(t, b.closed(fresh.Conn()))
		b.release(fresh)
		require.Equal(t, 1, b.closed(fresh.Conn()))
	})
}

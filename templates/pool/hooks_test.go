package pool

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// failures are the ways in which a hook that returns an error can fail.
var failures = map[string]script{"error": fail(errDirty), "panic": panicking("oh no"), "Goexit": exit}

func (b *backend) afterCreating(s script)   { b.set(func() { b.onAfterCreate = s }) }
func (b *backend) beforeAcquiring(s script) { b.set(func() { b.onBeforeAcquire = s }) }
func (b *backend) afterReleasing(s script)  { b.set(func() { b.onAfterRelease = s }) }
func (b *backend) beforeClosing(s script)   { b.set(func() { b.onBeforeClose = s }) }

// only is a hook that does something for one connection, and has nothing against others.
func only(c *Conn, s script) script {
	return func(ctx context.Context, other *Conn) error {
		if other == c {
			return s(ctx, c)
		}
		return nil
	}
}

//poolgen:if hasAfterCreate
func TestCRE17AFailedHookAfterTheCreateIsAFailedCreateAndTheConnectionIsClosed(t *testing.T) {
	for name, s := range failures {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				var raw *Conn
				b.afterCreating(inTurn(script(func(_ context.Context, c *Conn) error { raw = c; return nil }).then(s), succeed))
				err := b.request(b.ctx).failed()
				require.ErrorContains(t, err, "create")
				if name == "error" {
					require.ErrorIs(t, err, errDirty)
				} else {
					require.ErrorContains(t, err, "helpers_test.go", "the stack")
				}
				require.Equal(t, 1, b.closed(raw))
				if hasStats {
					require.EqualValues(t, 1, b.pool.Stats().CreateFailures)
					require.Equal(t, 1, b.pool.Stats().Vacant)
				}
				b.request(b.ctx).served()
			})
		})
	}
}

//poolgen:if hasAfterCreate && hasRetry
func TestAFailedHookAfterTheCreateIsTriedAgainWithAnotherConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 2}, func(t *testing.T, b *backend) {
		b.afterCreating(inTurn(fail(errDirty), fail(errDirty), succeed))
		b.request(b.ctx).wait().served()
		b.created(3)
		b.left(1)
	})
}

// Finish sees whether there was more than one connection at a time.
//
//poolgen:if hasAfterCreate && hasRetry && hasClose
func TestAConnectionThatTheHookAfterTheCreateRefusesIsClosedBeforeTheNextTry(t *testing.T) {
	for name, c := range map[string]struct {
		closing script
		least   time.Duration
		err     error
	}{
		"slowly": {take(500 * time.Millisecond), time.Second, nil},
		"never":  {take(time.Hour), 2 * time.Second, errDirty}, // as it has no more time than the create
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 2, CreateTimeout: 2 * time.Second, HealthCheckTimeout: 3 * time.Second}, func(t *testing.T, b *backend) {
				b.closing(c.closing)
				b.afterCreating(inTurn(fail(errDirty), fail(errDirty), succeed))
				r := b.request(b.ctx).wait()
				require.ErrorIs(t, r.err, c.err)
				within(t, c.least, 2*time.Second, r.took, "the request")
			})
		})
	}
}

//poolgen:if hasAfterCreate
func TestTheHookAfterTheCreateHasTheTimeOfTheCreate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateTimeout: 3 * time.Second}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		var left time.Duration
		b.afterCreating(func(ctx context.Context, _ *Conn) error {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return take(time.Hour)(ctx, nil)
		})
		r := b.request(b.ctx).wait()
		require.ErrorIs(t, r.failed(), context.DeadlineExceeded)
		require.Equal(t, 2*time.Second, left)
		timeoutIn(t, 3*time.Second, r.took)
		b.left(0)
	})
}

//poolgen:if hasAfterCreate && hasWarm && hasOutside && hasInsert
func TestTheHookAfterTheCreateIsForAllThatThePoolCreates(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.overflows = true
		seen := map[int]int{}
		b.afterCreating(func(_ context.Context, c *Conn) error { seen[c.id]++; return nil })
		require.NoError(t, b.pool.Warm(b.ctx, 1, func(ctx context.Context, _ int) (*Conn, error) { return b.create(ctx) }))
		require.NoError(t, b.pool.Insert(b.connect(b.ctx, nil)))
		b.acquireAll(2)
		b.start(b.ctx, b.pool.AcquireOrCreate).served()
		require.Equal(t, map[int]int{1: 1, 3: 1}, seen, "the second one was made elsewhere")
	})
}

//poolgen:if hasBeforeAcquire
func TestAUsedConnectionThatTheHookRefusesBeforeItsLeaseIsRetiredAndAnotherOneLeased(t *testing.T) {
	for name, s := range failures {
		if name == "Goexit" {
			continue // ends the requester
		}
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
				held := b.acquireAll(2)
				b.release(held...)
				b.beforeAcquiring(only(held[0].Conn(), s))
				for range 3 { // whichever is looked at first
					b.release(b.request(b.ctx).served())
				}
				if b.closed(held[0].Conn()) == 0 {
					b.request(b.ctx).served() // is not it
					b.request(b.ctx).served() // is a new one, in its place
				}
				require.Equal(t, 1, b.closed(held[0].Conn()))
				require.Zero(t, b.closed(held[1].Conn()))
				if hasStats {
					require.EqualValues(t, 1, b.pool.Stats().RetiredBroken)
				}
			})
		})
	}
}

//poolgen:if hasBeforeAcquire
func TestIfTheHookRefusesANewConnectionTheRequesterHasItsError(t *testing.T) {
	for name, s := range failures {
		if name == "Goexit" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
				b.release(b.acquireAll(3)...)
				b.beforeAcquiring(s)
				err := b.request(b.ctx).failed()
				b.created(4) // the used ones are no reason to give up
				b.left(0)
				var failure *PoolError
				require.True(t, errors.As(err, &failure))
				require.Equal(t, "before acquire", failure.Op)
				if name == "error" {
					require.ErrorIs(t, err, errDirty)
				} else {
					require.ErrorContains(t, err, "helpers_test.go", "the stack")
				}
				b.beforeAcquiring(succeed)
				b.request(b.ctx).served()
			})
		})
	}
}

//poolgen:if hasBeforeAcquire
func TestAHookBeforeTheLeaseThatEndsTheGoroutineLosesNoPlace(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.beforeAcquiring(exit)
		go b.pool.Acquire(b.ctx)
		synctest.Wait()
		b.left(0)
		b.beforeAcquiring(succeed)
		b.request(b.ctx).served()
	})
}

//poolgen:if hasBeforeAcquire
func TestTheHookBeforeTheLeaseHasTheRequestersContext(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		type key struct{}
		b.beforeAcquiring(func(ctx context.Context, _ *Conn) error {
			require.Equal(t, "mine", ctx.Value(key{}))
			return take(time.Hour)(ctx, nil)
		})
		ctx, cancel := context.WithTimeout(context.WithValue(b.ctx, key{}, "mine"), time.Second)
		defer cancel()
		r := b.request(ctx).wait()
		require.ErrorIs(t, r.failed(), context.DeadlineExceeded)
		require.Equal(t, time.Second, r.took)
		b.left(0)
	})
}

//poolgen:if hasBeforeAcquire
func TestARequesterWhoseConnectionTheHookRefusesKeepsItsTurn(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		first, second := b.request(b.ctx), b.request(b.ctx)
		b.beforeAcquiring(inTurn(fail(errDirty), succeed))
		b.creating(take(time.Hour))
		b.release(held[0])
		b.release(held[1])
		first.served()
		second.waits()
	})
}

//poolgen:if hasBeforeAcquire && hasLimits
func TestARequesterWhoseConnectionTheHookRefusesIsNotRejected(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, MaxWaiters: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		first := b.request(b.ctx)
		b.beforeAcquiring(inTurn(take(time.Second).then(fail(errDirty)), succeed))
		b.release(h)
		b.request(b.ctx)
		time.Sleep(2 * time.Second)
		first.served()
	})
}

//poolgen:if hasBeforeAcquire && hasTimeout
func TestAcquireTimeoutGoesOnWhenTheHookRefusesAConnection(t *testing.T) {
	for name, c := range map[string]struct {
		waits time.Duration
		idle  bool
		want  time.Duration
	}{"one that was waited for": {2 * time.Second, false, 5 * time.Second}, "one that was idle": {0, true, 6 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1, AcquireTimeout: 5 * time.Second}, func(t *testing.T, b *backend) {
				h := b.acquire()
				if c.idle {
					b.release(h)
				}
				b.beforeAcquiring(inTurn(take(time.Second).then(fail(errDirty)), succeed))
				b.creating(inTurn(take(time.Minute), succeed))
				r := b.request(b.ctx)
				time.Sleep(c.waits)
				h.Release()
				require.ErrorIs(t, r.wait().err, context.DeadlineExceeded)
				require.Equal(t, c.want, r.took)
			})
		})
	}
}

//poolgen:if hasBeforeAcquire && hasCheck
func TestAConnectionInPlaceOfOneThatTheHookRefusesIsCheckedAndShownToTheHook(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		b.release(held...)
		b.allDue()
		var shown []*Conn
		b.beforeAcquiring(inTurn(fail(errDirty), func(_ context.Context, c *Conn) error { shown = append(shown, c); return nil }))
		h := b.request(b.ctx).served()
		b.checked(2)
		require.Equal(t, []*Conn{h.Conn()}, shown)
	})
}

//poolgen:if hasBeforeAcquire
func TestARequesterWhoseConnectionTheHookRefusesAfterTheEndOfThePoolHasItsError(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.release(b.acquire())
		b.beforeAcquiring(take(time.Second).then(fail(errDirty)))
		r := b.request(b.ctx)
		b.closePool(0)
		require.ErrorIs(t, r.wait().err, ErrPoolClosed)
		b.left(0)
	})
}

//poolgen:if hasAfterRelease
func TestAConnectionThatTheHookRefusesAfterItsReleaseIsClosedAndAWaiterServed(t *testing.T) {
	for name, s := range failures {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				h := b.acquire()
				b.afterReleasing(only(h.Conn(), s))
				b.resetting(only(h.Conn(), func(context.Context, *Conn) error { b.violation("it was reset"); return nil }))
				waiter := b.request(b.ctx)
				go h.Release()
				require.Equal(t, 1, b.closed(h.Conn()))
				b.release(waiter.served())
				require.Same(t, waiter.held.Conn(), b.acquire().Conn())
				if hasStats {
					st := b.pool.Stats()
					require.EqualValues(t, 1, st.RetiredBroken)
					if name == "error" {
						require.ErrorIs(t, st.LastError, errDirty)
					} else {
						require.ErrorContains(t, st.LastError, "helpers_test.go", "the stack")
					}
				}
			})
		})
	}
}

//poolgen:if hasAfterRelease && hasOutside && hasDetach
func TestTheHookAfterTheReleaseIsForConnectionsThatThePoolMayKeep(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.overflows = true
		held := b.acquireAll(2)
		fresh := b.start(b.ctx, b.pool.AcquireOrCreate).served()
		b.afterReleasing(func(_ context.Context, c *Conn) error {
			b.violation("it was called for connection %d", c.id)
			return nil
		})
		held[0].Discard()
		held[1].Detach()
		b.release(fresh)
	})
}

//poolgen:if hasBeforeClose
func TestAHookBeforeTheCloseThatFailsDoesNotPreventIt(t *testing.T) {
	for name, s := range failures {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				b.beforeClosing(s)
				h := b.acquire()
				waiter := b.request(b.ctx)
				h.Discard()
				waiter.served()
				require.Equal(t, 1, b.closed(h.Conn()))
			})
		})
	}
}

//poolgen:if hasBeforeClose
func TestAHookBeforeTheCloseThatHangsHoldsNobodyUpForLong(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true // as the close is given up before it has begun
		b.beforeClosing(inTurn(deaf(time.Minute), succeed))
		h := b.acquire()
		waiter := b.request(b.ctx)
		begun := time.Now()
		h.Discard()
		require.Zero(t, time.Since(begun))
		timeoutIn(t, time.Second, waiter.wait().took)
		waiter.served()
		time.Sleep(2 * time.Minute)
	})
}

//poolgen:if hasFatal
func TestReleaseErrDiscardsAfterAFatalErrorOnly(t *testing.T) {
	for err, fatal := range map[error]bool{nil: false, errDirty: false, errFatal: true, &PoolError{Op: "use", Err: errFatal}: true} {
		virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
			h := b.acquire()
			h.leave()
			h.ReleaseErr(err)
			h.ReleaseErr(errFatal) // of a lease that has ended
			again := b.acquire()
			if fatal {
				require.Equal(t, 1, b.closed(h.Conn()))
				require.NotSame(t, h.Conn(), again.Conn())
			} else {
				require.Zero(t, b.closed(h.Conn()))
				require.Same(t, h.Conn(), again.Conn())
			}
			h.ReleaseErr(errFatal) // now it is another one's
			require.Zero(t, b.closed(again.Conn()))
			if hasStats {
				require.Equal(t, fatal, b.pool.Stats().RetiredDiscarded == 1)
			}
		})
	}
	Lease{}.ReleaseErr(errFatal)
}

// Whoever has the connection now may be using or closing it, so that the hook must not even look at it.
//
//poolgen:if hasFatal
func TestReleaseErrOfALeaseThatHasEndedAsksNothing(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		usual, asked := b.pool.context.fatal, 0
		b.pool.context.fatal = func(err error, c *Conn) bool { asked++; return usual(err, c) }
		h := b.acquire()
		h.leave()
		h.ReleaseErr(errDirty)
		require.Equal(t, 1, asked)
		h.ReleaseErr(errDirty)
		again := b.acquire()
		h.ReleaseErr(errFatal)
		h.ReleaseErr(nil)
		require.Equal(t, 1, asked)
		require.Same(t, h.Conn(), again.Conn())
		b.pool.context.fatal = usual
	})
}

//poolgen:if hasFatal && hasOutside
func TestReleaseErrOfAFreshConnectionClosesIt(t *testing.T) {
	for _, err := range []error{nil, errFatal} {
		virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
			b.overflows = true
			b.acquire()
			h := b.start(b.ctx, b.pool.AcquireOrCreate).served()
			h.leave()
			h.ReleaseErr(err)
			require.Equal(t, 1, b.closed(h.Conn()))
		})
	}
}

//poolgen:if hasFatal
func TestReleaseErrDiscardsIfNobodyKnows(t *testing.T) {
	for name, s := range map[string]func(){"panic": func() { panic("oh no") }, "Goexit": runtime.Goexit} {
		virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
			usual := b.pool.context.fatal
			b.pool.context.fatal = func(error, *Conn) bool { s(); return false }
			h := b.acquire()
			h.leave()
			done := make(chan any, 1)
			go func() {
				defer func() { done <- recover() }()
				h.ReleaseErr(errDirty)
			}()
			require.Equal(t, name == "panic", <-done != nil, "the panic is the releaser's")
			require.Equal(t, 1, b.closed(h.Conn()))
			b.pool.context.fatal = usual
			b.request(b.ctx).served()
		})
	}
}

//poolgen:if hasFatal && hasWith
func TestWithDiscardsAfterAFatalErrorOnly(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		var conn *Conn
		use := func(err error) func(*Conn) error { return func(c *Conn) error { conn = c; return err } }
		for _, err := range []error{nil, errDirty} {
			require.Equal(t, err, b.pool.With(b.ctx, use(err)))
			require.Zero(t, b.closed(conn))
		}
		require.Equal(t, errFatal, b.pool.With(b.ctx, use(errFatal)))
		require.Equal(t, 1, b.closed(conn))
		before := conn
		require.NoError(t, b.pool.With(b.ctx, use(nil)))
		require.NotSame(t, before, conn)
	})
}

func TestHooksThatTakeTheirTimeDoNotHoldUpOthers(t *testing.T) {
	for name, occupy := range map[string]func(b *backend, h *held){
		"after create": func(b *backend, h *held) {
			h.Discard()
			b.afterCreating(take(time.Minute))
			held := b.acquireAll(2)
			b.request(b.ctx)   // has a create begun, but gets
			b.release(held...) // the first one of these
		},
		"before acquire": func(b *backend, _ *held) { b.beforeAcquiring(inTurn(take(time.Minute), succeed)); b.request(b.ctx) },
		"after release":  func(b *backend, h *held) { b.afterReleasing(inTurn(take(time.Minute), succeed)); go h.Release() },
		"before close":   func(b *backend, h *held) { b.beforeClosing(take(time.Minute)); h.Discard() },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 3, CreateTimeout: time.Hour, HealthCheckTimeout: time.Hour}, func(t *testing.T, b *backend) {
				held := b.acquireAll(3)
				b.release(held[1:]...)
				occupy(b, held[0])
				synctest.Wait()
				begun := time.Now()
				b.release(b.request(b.ctx).served())
				b.request(b.ctx).served()
				require.Zero(t, time.Since(begun))
			})
		})
	}
}

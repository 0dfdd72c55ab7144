package pool

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPAN01APanicInACreateIsTheErrorOfItsRequesterAndLosesNoPlace(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.creating(inTurn(panicking("oh no"), panicking(errRefused), panicking(nil), succeed))
		for _, want := range []string{"oh no", errRefused.Error(), "nil"} {
			err := b.request(b.ctx).failed()
			require.ErrorContains(t, err, "create")
			require.ErrorContains(t, err, want)
			require.ErrorContains(t, err, "helpers_test.go", "the stack")
		}
		b.request(b.ctx).served()
	})
}

//poolgen:if hasCheck
func TestPAN02AConnectionWhoseCheckPanicsIsClosedAndReplaced(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.release(h)
		b.allDue()
		b.checking(panicking("oh no"))
		r := b.request(b.ctx)
		require.NotSame(t, h.Conn(), r.served().Conn())
		if hasClose {
			require.Equal(t, 1, b.closed(h.Conn()))
		}
		if hasStats {
			require.ErrorContains(t, b.pool.Stats().LastError, "helpers_test.go", "the stack")
		}
	})
}

//poolgen:if hasNeeds
func TestPAN02AConnectionWhoseNeedsCheckPanicsIsClosedAndItsPlaceIsFree(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.release(h)
		b.needing(func(*Conn) bool { panic("oh no") })
		waiter := b.request(b.ctx)
		require.ErrorContains(t, waiter.failed(), "oh no")
		if hasClose {
			require.Equal(t, 1, b.closed(h.Conn()))
		}
		b.request(b.ctx).served()
	})
}

//poolgen:if hasClose
func TestPAN03APanicInACloseLosesNoPlaceAndTheWaiterIsServed(t *testing.T) {
	for name, end := range map[string]func(*held){"discarded": (*held).Discard, "broken": (*held).Release} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				if name == "broken" && !hasBroken {
					t.Skip("no hook says so")
				}
				b.closing(panicking("oh no"))
				for range 3 {
					h := b.acquire()
					waiter := b.request(b.ctx)
					b.breaking(func(c *Conn) bool { return c == h.Conn() })
					end(h)
					b.release(waiter.served())
					require.Equal(t, 1, b.closed(h.Conn()))
				}
			})
		})
	}
}

//poolgen:if resetsHere || resetsAway
func TestPAN04AConnectionWhoseResetPanicsIsClosedAndTheWaiterServed(t *testing.T) {
	for where, at := range map[string]func(script) script{
		"here": onlyHere,   //poolgen:if resetsHere
		"away": unlessHere, //poolgen:if resetsAway
	} {
		t.Run(where, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				h := b.acquire()
				waiter := b.request(b.ctx)
				b.resetting(at(panicking("oh no")))
				b.closing(panicking("this, too"))
				b.release(h)
				require.NotSame(t, h.Conn(), waiter.served().Conn())
				if hasClose {
					require.Equal(t, 1, b.closed(h.Conn()))
				}
			})
		})
	}
}

//poolgen:if hasIdle
func TestPAN05APoolWhoseBackgroundCreatesPanicGoesOnTryingLessAndLessOften(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4, MinIdle: 2}, func(t *testing.T, b *backend) {
		b.creating(panicking("oh no"))
		time.Sleep(time.Minute)
		b.mu.Lock()
		first := b.creates
		b.mu.Unlock()
		time.Sleep(time.Hour)
		b.mu.Lock()
		later := b.creates - first
		b.mu.Unlock()
		require.Greater(t, first, 2)
		require.Greater(t, later, 60, "it does not give up")
		require.Less(t, later, 500, "once in half a minute or so")
		b.creating(succeed)
		time.Sleep(2 * time.Minute)
		b.left(2)
	})
}

//poolgen:if hasWith
func TestPAN06APanicOfAUserOfWithGoesOnAndTheConnectionIsDiscarded(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		var conn *Conn
		require.PanicsWithValue(t, "oh no", func() {
			b.pool.With(b.ctx, func(c *Conn) error { conn = c; panic("oh no") })
		})
		if hasClose {
			require.Equal(t, 1, b.closed(conn))
		}
		require.NotSame(t, conn, b.request(b.ctx).served().Conn())
	})
}

func TestPAN07ACreateThatEndsItsGoroutineIsAnErrorAndLosesNoPlace(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.creating(inTurn(exit, succeed))
		r := b.request(b.ctx)
		require.ErrorContains(t, r.failed(), "did not return")
		require.Zero(t, r.took)
		b.request(b.ctx).served()
	})
}

// strange is a context that can't be waited for.
type strange struct{ context.Context }

func (strange) Done() <-chan struct{} { panic("oh no") }

// After whatever panics, the pool serves and can be asked, which it could not if its lock was still held.
func TestPAN08NoPanicLeavesThePoolLocked(t *testing.T) {
	panics := func(f func()) func(*backend) {
		return func(b *backend) { require.Panics(b, f) }
	}
	for name, misuse := range map[string]func(b *backend){
		"nil context":        func(b *backend) { panics(func() { b.pool.Acquire(noContext) })(b) },
		"strange context":    func(b *backend) { b.acquireAll(3); panics(func() { b.pool.Acquire(strange{b.ctx}) })(b) },
		"nil context, close": func(b *backend) { panics(func() { b.acquire(); b.pool.Close(noContext) })(b) },
		"nil context, try":   func(b *backend) { panics(func() { b.pool.TryAcquire(noContext) })(b) },                       //poolgen:if hasTry
		"nil context, more":  func(b *backend) { panics(func() { b.pool.AcquireOrCreate(noContext) })(b) },                  //poolgen:if hasOutside
		"nil context, warm":  func(b *backend) { panics(func() { b.pool.Warm(noContext, 2, nil) })(b) },                     //poolgen:if hasWarm
		"retain":             func(b *backend) { panics(func() { b.pool.Retain(func(*Conn) bool { panic("oh no") }) })(b) }, //poolgen:if hasRetain
		"fatal": func(b *backend) { //poolgen:if hasFatal
			b.pool.context.fatal = func(error, *Conn) bool { panic("oh no") }
			lease, err := b.pool.Acquire(b.ctx)
			require.NoError(b, err)
			panics(func() { lease.ReleaseErr(errFatal) })(b)
		},
		"warm": func(b *backend) { //poolgen:if hasWarm
			require.Error(b, b.pool.Warm(b.ctx, 3, func(context.Context, int) (*Conn, error) { panic("oh no") }))
		},
		"with": func(b *backend) { //poolgen:if hasWith
			panics(func() { b.pool.With(b.ctx, func(*Conn) error { panic("oh no") }) })(b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
				b.release(b.acquireAll(2)...)
				misuse(b)
				b.whole()
				b.releaseAll()
				synctest.Wait()
				if name != "nil context, close" {
					b.acquireAll(3)
				}
			})
		})
	}
	for _, hook := range []string{"create", "after create", "before acquire", "needs check", "broken", "check", "after release", "reset", "before close", "close"} {
		t.Run(hook, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
				b.release(b.acquireAll(3)...)
				b.everyHook(func(h string) script {
					if h == hook {
						return panicking("oh no")
					}
					return succeed
				})
				for range 3 {
					if r := b.request(b.ctx); r.err == nil {
						b.release(r.served())
					}
					if r := b.request(b.ctx); r.err == nil {
						r.served().Discard()
					}
				}
				b.whole()
				b.heal()
				b.acquireAll(3)
			})
		})
	}
}

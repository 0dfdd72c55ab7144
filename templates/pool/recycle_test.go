package pool

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The template resets each connection twice on release: in the releaser's goroutine, without a
// deadline, and in one of the pool, with one.

// unlessHere is a reset hook that acts in the pool's goroutine only.
func unlessHere(s script) script {
	return func(ctx context.Context, c *Conn) error {
		if _, away := ctx.Deadline(); away {
			return s(ctx, c)
		}
		return nil
	}
}

// onlyHere is a reset hook that acts in the releaser's goroutine only.
func onlyHere(s script) script {
	return func(ctx context.Context, c *Conn) error {
		if _, away := ctx.Deadline(); !away {
			return s(ctx, c)
		}
		return nil
	}
}

//poolgen:if resetsAway
func TestAConnectionIsResetBeforeItsNextHolderHasIt(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		dirty := map[*Conn]bool{}
		b.resetting(take(time.Second / 2).then(func(_ context.Context, c *Conn) error { dirty[c] = false; return nil }))
		h := b.acquire()
		waiter := b.request(b.ctx)
		dirty[h.Conn()] = true
		h.Release()
		require.Same(t, h.Conn(), waiter.wait().served().Conn())
		require.False(t, dirty[h.Conn()])
	})
}

func TestANewConnectionIsNotReset(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.acquire()
		require.Zero(t, b.resets)
	})
}

func TestASlowResetDoesNotHoldUpTheReleaser(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.resetting(unlessHere(take(500 * time.Millisecond)))
		h := b.acquire()
		waiter := b.request(b.ctx)
		begun := time.Now()
		b.release(h)
		require.Zero(t, time.Since(begun))
		b.expect(1, "resetting", func(s PoolStats) int { return s.Resetting })
		waiter.wait().served()
		require.Equal(t, 500*time.Millisecond, waiter.took)
	})
}

//poolgen:if resetsAway
func TestAHangingResetIsBounded(t *testing.T) {
	for name, hang := range map[string]script{"heeding its context": take(time.Hour), "deaf": deaf(time.Hour)} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1, HealthCheckTimeout: 2 * time.Second}, func(t *testing.T, b *backend) {
				b.resetting(unlessHere(hang))
				h := b.acquire()
				waiter := b.request(b.ctx)
				b.release(h)
				require.NotSame(t, h.Conn(), waiter.wait().served().Conn())
				timeoutIn(t, 2*time.Second, waiter.took)
				require.Equal(t, 1, b.closed(h.Conn()))
			})
		})
	}
}

func TestAFailedResetRetiresTheConnectionAndServesTheWaiter(t *testing.T) {
	for where, at := range map[string]func(script) script{
		"here": onlyHere,   //poolgen:if resetsHere
		"away": unlessHere, //poolgen:if resetsAway
	} {
		for name, s := range map[string]script{"error": fail(errDirty), "panic": panicking("oh no"), "Goexit": exit} {
			t.Run(name+" "+where, func(t *testing.T) {
				virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
					b.resetting(at(s))
					h := b.acquire()
					waiter := b.request(b.ctx)
					go h.Release() // Goexit ends that goroutine
					synctest.Wait()
					require.NotSame(t, h.Conn(), waiter.served().Conn())
					require.Equal(t, 1, b.closed(h.Conn()))
					st := b.pool.Stats()
					require.EqualValues(t, 1, st.RetiredBroken)
					if name == "error" {
						require.ErrorIs(t, st.LastError, errDirty)
					} else {
						require.ErrorContains(t, st.LastError, "helpers_test.go", "the stack")
					}
				})
			})
		}
	}
}

func TestABrokenConnectionIsClosedOnReleaseAndNotReset(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.breaking(func(*Conn) bool { return true })
		h := b.acquire()
		waiter := b.request(b.ctx)
		b.release(h)
		require.NotSame(t, h.Conn(), waiter.served().Conn())
		require.Equal(t, 1, b.closed(h.Conn()))
		require.Zero(t, b.resets)
		require.EqualValues(t, 1, b.pool.Stats().RetiredBroken)
		require.ErrorContains(t, b.pool.Stats().LastError, "broken")
	})
}

func TestBrokenConnectionsDoNotStarveThePool(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.breaking(func(*Conn) bool { return true })
		b.load(100, time.Millisecond)
	})
}

//poolgen:if hasBroken
func TestAPanicInBrokenRetiresTheConnection(t *testing.T) {
	for name, s := range map[string]script{"panic": panicking("oh no"), "Goexit": exit} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				b.breaking(func(c *Conn) bool { s(nil, c); return false })
				h := b.acquire()
				waiter := b.request(b.ctx)
				go h.Release()
				synctest.Wait()
				waiter.served()
				require.Equal(t, 1, b.closed(h.Conn()))
				require.ErrorContains(t, b.pool.Stats().LastError, "helpers_test.go", "the stack")
			})
		})
	}
}

func TestAFailedResetAfterClose(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		closed := b.closeLater(b.ctx)
		b.resetting(panicking("oh no"))
		b.release(h)
		require.NoError(t, <-closed)
		require.Equal(t, 1, b.closed(h.Conn()))
	})
}

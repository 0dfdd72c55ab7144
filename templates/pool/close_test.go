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

// closeLater closes the pool in another goroutine.
func (b *backend) closeLater(ctx context.Context) <-chan error {
	closed := make(chan error, 1)
	go func() { closed <- b.pool.Close(ctx) }()
	synctest.Wait()
	return closed
}

func TestCloseOfAnUnusedPool(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		require.NoError(t, b.closePool(time.Second))
		b.created(0)
	})
}

func TestRequestersOfAClosedPoolFailAtOnce(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		b.idle(1)
		require.NoError(t, b.closePool(time.Second))
		for _, acquire := range []func(context.Context) (Lease, error){b.pool.Acquire, b.pool.TryAcquire, b.pool.AcquireOrCreate} {
			require.ErrorIs(t, b.start(b.ctx, acquire).failed(), ErrPoolClosed)
		}
		require.ErrorIs(t, b.pool.With(b.ctx, func(*Conn) error { panic("called") }), ErrPoolClosed)
		require.ErrorIs(t, b.pool.Warm(b.ctx, 1, nil), ErrPoolClosed)
		b.created(1)
	})
}

func TestCloseReturnsWhenItsContextEndsAndSaysHowManyAreOut(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		b.idle(5)
		held := b.acquireAll(3)
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(b.ctx, 2*time.Second, cause)
		defer cancel()
		begun := time.Now()
		err := b.pool.Close(ctx)
		require.Equal(t, 2*time.Second, time.Since(begun))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, cause)
		require.ErrorContains(t, err, "close")
		require.ErrorContains(t, err, "3 are in use")
		b.left(3)

		b.release(held...)
		b.left(0)
		require.NoError(t, b.closePool(time.Second), "Close may be called again")
	})
}

func TestCloseOfADrainedPoolSucceedsWhateverItsContext(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		b.idle(2)
		require.NoError(t, b.closePool(time.Second))
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		for range 50 {
			require.NoError(t, b.pool.Close(ctx), "none is left")
		}
	})
}

func TestCloseMayBeCalledByManyAtTheSameTime(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.idle(3)
		h := b.acquire()
		var all []<-chan error
		for range 10 {
			all = append(all, b.closeLater(b.ctx))
		}
		b.release(h)
		for _, closed := range all {
			require.NoError(t, <-closed)
		}
	})
}

func TestCloseDuringACreate(t *testing.T) {
	for name, slow := range map[string]script{"heeding its context": take(3 * time.Second), "deaf": deaf(3 * time.Second)} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
				b.creating(slow)
				begun := time.Now()
				all := b.requests(2)
				closed := b.closeLater(b.ctx)
				for _, r := range all {
					require.ErrorIs(t, r.failed(), ErrPoolClosed)
				}
				require.NoError(t, <-closed)
				if name == "deaf" {
					require.Equal(t, 3*time.Second, time.Since(begun), "Close waits for what may still come")
				}
				b.left(0)
				time.Sleep(5 * time.Second)
				b.left(0)
			})
		})
	}
}

func TestCloseDuringAFreshCreate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		h := b.acquire()
		b.creating(take(3 * time.Second))
		r := b.start(b.ctx, b.pool.AcquireOrCreate)
		closed := b.closeLater(b.ctx)
		b.release(h)
		require.ErrorIs(t, r.wait().err, ErrPoolClosed)
		require.NoError(t, <-closed)
		b.left(0)
	})
}

func TestCloseDuringACheck(t *testing.T) {
	for name, slow := range map[string]script{"heeding its context": take(time.Hour), "deaf": deaf(time.Hour)} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
				b.idle(2)
				b.allDue()
				b.checking(slow)
				r := b.request(b.ctx)
				closed := b.closeLater(b.ctx)
				require.ErrorIs(t, r.wait().err, ErrPoolClosed)
				require.LessOrEqual(t, r.took, 1100*time.Millisecond)
				require.NoError(t, <-closed)
				b.left(0)
			})
		})
	}
}

func TestCloseDuringAReset(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.resetting(unlessHere(take(time.Hour)))
		b.release(h)
		begun := time.Now()
		require.NoError(t, b.pool.Close(b.ctx))
		require.LessOrEqual(t, time.Since(begun), 1100*time.Millisecond)
		b.left(0)
	})
}

func TestCloseDuringAWarm(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4, MaxConcurrentCreates: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		warmed := make(chan error, 1)
		go func() { warmed <- b.pool.Warm(b.ctx, 4, nil) }()
		time.Sleep(1500 * time.Millisecond)
		closed := b.closeLater(b.ctx)
		require.ErrorIs(t, <-warmed, ErrPoolClosed)
		require.NoError(t, <-closed)
		b.left(0)
	})
}

func TestABlockingCloseHookDoesNotBlockOthers(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, HealthCheckTimeout: 5 * time.Second}, func(t *testing.T, b *backend) {
		held := b.acquireAll(3)
		b.closing(deaf(time.Hour))
		begun := time.Now()
		held[0].Discard()
		require.Zero(t, time.Since(begun), "the discarder does not wait")
		b.expect(1, "closing", func(s PoolStats) int { return s.Closing })
		b.release(held[1])
		r := b.request(b.ctx)
		r.served()
		require.Zero(t, r.took)

		waiter := b.request(b.ctx).wait()
		waiter.served()
		timeoutIn(t, 5*time.Second, waiter.took)
	})
}

func TestAHangingCloseHookDoesNotKeepCloseFromClosingTheOthers(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
		b.idle(10)
		b.closing(inTurn(deaf(time.Hour), succeed))
		require.Error(t, b.closePool(100*time.Millisecond), "it heeds its context")
		b.left(1)
		require.NoError(t, b.pool.Close(b.ctx), "and the hook is given up")
	})
}

func TestAPanicInACloseHookLosesNoPlace(t *testing.T) {
	for name, s := range map[string]script{"panic": panicking("oh no"), "Goexit": exit} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				h := b.acquire()
				waiter := b.request(b.ctx)
				b.closing(s)
				h.Discard()
				waiter.served()
				require.ErrorContains(t, b.pool.Stats().LastError, "helpers_test.go", "the stack")
			})
		})
	}
}

func TestFailingCloseHooksDoNotKeepCloseFromClosingTheOthers(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
		b.idle(4)
		b.closing(inTurn(panicking("oh no"), exit, fail(errDirty), succeed))
		require.NoError(t, b.closePool(time.Second))
		b.left(0)
		require.Error(t, b.pool.Stats().LastError)
	})
}

func TestTheCloseHookHasATimeoutOfItsOwn(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, HealthCheckTimeout: 3 * time.Second}, func(t *testing.T, b *backend) {
		b.idle(1)
		var left time.Duration
		b.closing(func(ctx context.Context, _ *Conn) error {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return nil
		})
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		b.pool.Close(ctx)
		synctest.Wait()
		require.Equal(t, 3*time.Second, left)
	})
}

func TestHooksMayUseThePool(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		use := func(context.Context, *Conn) error {
			b.whole()
			ctx, cancel := context.WithTimeout(b.ctx, time.Millisecond)
			defer cancel()
			if lease, err := b.pool.TryAcquire(ctx); err == nil {
				lease.Release()
			}
			ctx, cancel = context.WithTimeout(b.ctx, time.Millisecond)
			defer cancel()
			if lease, err := b.pool.Acquire(ctx); err == nil {
				lease.Release()
			}
			return nil
		}
		once := func(s script) script { return inTurn(s, succeed) }
		b.idle(1)
		needs := once(use)
		b.needing(func(c *Conn) bool { needs(b.ctx, c); return true })
		b.checking(once(use))
		b.creating(once(use))
		broken := once(use)
		b.breaking(func(c *Conn) bool { broken(b.ctx, c); return false })
		b.resetting(once(use))
		b.closing(once(use))
		h := b.acquire()
		other := b.acquire()
		b.release(h)
		other.Discard()
		time.Sleep(time.Minute)
		b.closing(func(context.Context, *Conn) error {
			_, err := b.pool.Acquire(b.ctx)
			require.ErrorIs(t, err, ErrPoolClosed)
			b.whole()
			return b.closePool(0)
		})
		b.closePool(time.Minute)
	})
}

//poolgen:if hasOutside
func TestCloseWaitsForALeaseOutsideThePool(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		held := b.acquire()
		outside := b.start(b.ctx, b.pool.AcquireOrCreate).served()
		closed := b.closeLater(b.ctx)
		b.release(held)
		require.Empty(t, closed, "a connection outside the pool is leased")
		b.release(outside)
		require.NoError(t, <-closed)
	})
}

func TestCloseReturnsAlthoughFreshCreatesRaceWithIt(t *testing.T) {
	for range 300 {
		b := newBackend(t, PoolOptions{MaxSize: 1})
		b.overflows = true
		var all sync.WaitGroup
		h := b.acquire()
		for range 8 {
			all.Go(func() {
				for {
					lease, err := b.pool.AcquireOrCreate(context.Background())
					if err != nil {
						return
					}
					lease.Release()
				}
			})
		}
		h.Release()
		err := b.closePool(2 * time.Second)
		all.Wait()
		require.NoError(t, err, "%+v", b.pool.Stats())
		require.Zero(t, b.pool.Stats().Fresh)
	}
}

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

func TestZeroOptionsAreGoodDefaults(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		require.Equal(t, max(4, runtime.GOMAXPROCS(0)), b.pool.Stats().MaxSize)
	})
}

func TestBadOptionsAreErrorsThatNameTheOption(t *testing.T) {
	for name, options := range map[string]PoolOptions{
		"MaxSize":              {MaxSize: -1},
		"MaxWaiters":           {MaxWaiters: -1},
		"MaxConcurrentCreates": {MaxConcurrentCreates: -1},
		"CreateTimeout":        {CreateTimeout: -1},
		"HealthCheckTimeout":   {HealthCheckTimeout: -1},
	} {
		pool, err := NewPool(&server{}, options)
		require.ErrorContains(t, err, name)
		require.Nil(t, pool)
	}
}

func TestMoreThan63Places(t *testing.T) {
	for _, size := range []int{63, 64, 65, 200} {
		virtual(t, PoolOptions{MaxSize: size}, func(t *testing.T, b *backend) {
			for range 3 {
				all := b.acquireAll(size)
				b.request(b.ctx).waits()
				b.end() // for that one
				b.ctx, b.end = context.WithCancel(context.Background())
				b.release(all...)
				b.expect(size, "idle", func(s PoolStats) int { return s.Idle })
			}
			b.created(size)
		})
	}
}

func TestAcquireWithAnEndedContextFailsAndCreatesNothing(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		cause := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(cause)
		for _, acquire := range []func(context.Context) (Lease, error){b.pool.Acquire, b.pool.TryAcquire, b.pool.AcquireOrCreate} {
			_, err := acquire(ctx)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cause)
			var op *PoolError
			require.ErrorAs(t, err, &op)
		}
		require.ErrorIs(t, b.pool.With(ctx, func(*Conn) error { panic("called") }), cause)
		b.created(0)

		b.idle(1)
		_, err := b.pool.Acquire(ctx)
		require.ErrorIs(t, err, context.Canceled, "even if one is idle")
	})
}

func TestAcquireWithANilContextDoesNotLeaveThePoolLocked(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		var none context.Context
		require.Panics(t, func() { b.pool.Acquire(none) })
		b.acquire()
	})
}

func TestTryAcquireCreates(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.acquire()
		b.creating(take(time.Second))
		r := b.start(b.ctx, b.pool.TryAcquire).wait()
		require.False(t, r.served().Fresh())
		require.Equal(t, time.Second, r.took)
	})
}

func TestTryAcquireAtTheSameTimeFailsOnlyIfAllPlacesAreTaken(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		first := b.start(b.ctx, b.pool.TryAcquire)
		second := b.start(b.ctx, b.pool.TryAcquire)
		third := b.start(b.ctx, b.pool.TryAcquire)
		first.wait().served()
		second.wait()
		third.wait()
		require.ErrorIs(t, third.err, ErrPoolExhausted, "two creates for two places")
		require.NoError(t, second.err, "one place was vacant")
	})
}

func TestTryAcquireReturnsTheErrorOfItsCreate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		require.ErrorIs(t, b.start(b.ctx, b.pool.TryAcquire).failed(), errRefused)
	})
}

func TestTryAcquireDoesNotWaitForAPlaceAfterAFailedCheck(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.idle(1)
		b.kill()
		b.allDue()
		b.checking(take(100 * time.Millisecond))
		try := b.start(b.ctx, b.pool.TryAcquire)
		b.request(b.ctx) // whoever gets the replacement keeps it
		time.Sleep(time.Minute)
		try.over()
	})
}

func TestAcquireOrCreateMakesAFreshConnectionIfAllPlacesAreTaken(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		pooled := b.start(b.ctx, b.pool.AcquireOrCreate).served()
		require.False(t, pooled.Fresh())
		fresh := b.start(b.ctx, b.pool.AcquireOrCreate).served()
		require.True(t, fresh.Fresh())
		require.Equal(t, 1, b.pool.Stats().Fresh)
		b.whole()

		b.release(fresh)
		require.Equal(t, 1, b.closed(fresh.Conn()), "it is closed on release")
		require.Zero(t, b.pool.Stats().Fresh)
		require.Zero(t, b.pool.Stats().Idle)
		b.release(pooled)
		require.Zero(t, b.closed(pooled.Conn()))
	})
}

func TestAcquireOrCreateAtTheSameTimeUsesThePlacesFirst(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.creating(take(time.Second))
		var all []*request
		for range 3 {
			all = append(all, b.start(b.ctx, b.pool.AcquireOrCreate))
		}
		fresh := 0
		for _, r := range all {
			if r.wait().served().Fresh() {
				fresh++
			}
		}
		require.Equal(t, 1, fresh, "two of three fit into the pool")
	})
}

func TestAFreshConnectionNeverServesAWaiter(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		pooled := b.acquire()
		fresh := b.start(b.ctx, b.pool.AcquireOrCreate).served()
		waiter := b.request(b.ctx)
		b.release(fresh)
		waiter.waits()
		b.release(pooled)
		require.Same(t, pooled.Conn(), waiter.served().Conn())
	})
}

func TestAFreshLeaseEndsOnceOnly(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.acquire()
		fresh := b.start(b.ctx, b.pool.AcquireOrCreate).served()
		b.release(fresh, fresh)
		fresh.Discard()
		require.Nil(t, fresh.Lease.Detach())
		require.Equal(t, 1, b.closed(fresh.Conn()))

		detached := b.start(b.ctx, b.pool.AcquireOrCreate).served()
		require.Same(t, detached.Conn(), detached.Detach())
		require.Zero(t, b.pool.Stats().Fresh)
	})
}

func TestAcquireOrCreateReturnsTheErrorOfTheFreshCreate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.acquire()
		b.creating(inTurn(fail(errRefused), panicking("oh no"), exit, succeed))
		require.ErrorIs(t, b.start(b.ctx, b.pool.AcquireOrCreate).failed(), errRefused)
		require.ErrorContains(t, b.start(b.ctx, b.pool.AcquireOrCreate).failed(), "oh no")
		b.start(b.ctx, b.pool.AcquireOrCreate).failed()
		b.start(b.ctx, b.pool.AcquireOrCreate).served()
	})
}

func TestAFreshConnectionThatNobodyWaitsForIsClosed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.acquire()
		b.creating(take(5 * time.Second))
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		r := b.start(ctx, b.pool.AcquireOrCreate).wait()
		require.ErrorIs(t, r.failed(), context.DeadlineExceeded)
		require.Equal(t, time.Second, r.took)
		time.Sleep(10 * time.Second)
		b.left(1)
	})
}

func TestTheErrorOfAFreshCreateIsNobodyElses(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		pooled := b.acquire()
		waiter := b.request(b.ctx)
		b.creating(take(20 * time.Millisecond).then(fail(errRefused)))
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Millisecond)
		defer cancel()
		b.start(ctx, b.pool.AcquireOrCreate).wait().failed()
		time.Sleep(time.Second)
		waiter.waits()
		b.release(pooled)
		waiter.served()
	})
}

func TestWithReleases(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		var first *Conn
		require.NoError(t, b.pool.With(b.ctx, func(c *Conn) error { first = c; return nil }))
		synctest.Wait()
		require.Same(t, errDirty, b.pool.With(b.ctx, func(c *Conn) error {
			require.Same(t, first, c)
			return errDirty
		}), "the error of the function is not wrapped")
		b.expect(1, "idle", func(s PoolStats) int { return s.Idle })
	})
}

func TestWithDiscardsAfterAPanic(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		var conn *Conn
		require.PanicsWithValue(t, "oh no", func() {
			b.pool.With(b.ctx, func(c *Conn) error { conn = c; panic("oh no") })
		})
		require.Equal(t, 1, b.closed(conn))
		b.acquire()
	})
}

func TestWithDiscardsWhenTheGoroutineEnds(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		var conn *Conn
		go b.pool.With(b.ctx, func(c *Conn) error { conn = c; runtime.Goexit(); return nil })
		synctest.Wait()
		require.Equal(t, 1, b.closed(conn))
		b.acquire()
	})
}

func TestWithDiscardsWhatACancelledFunctionLeaves(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		ctx, cancel := context.WithCancel(b.ctx)
		var conn *Conn
		err := b.pool.With(ctx, func(c *Conn) error { conn = c; cancel(); return ctx.Err() })
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, b.closed(conn))

		ctx, cancel = context.WithCancel(b.ctx)
		require.NoError(t, b.pool.With(ctx, func(c *Conn) error { conn = c; cancel(); return nil }))
		require.Zero(t, b.closed(conn), "but not if the function has finished")
	})
}

func TestWithReturnsTheErrorOfAcquire(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		require.ErrorIs(t, b.pool.With(b.ctx, func(*Conn) error { panic("called") }), errRefused)
	})
}

package pool

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAConnectionThatIsDueIsCheckedBeforeEachLease(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.allDue()
		b.idle(1)
		h := b.acquire()
		b.checked(1)
		r := b.request(b.ctx)
		b.release(h)
		b.release(r.served())
		b.checked(2)
		b.created(1)
	})
}

func TestAConnectionThatWasLateAndIdleIsChecked(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.allDue()
		h := b.acquire()
		b.creating(take(time.Second))
		r := b.request(b.ctx)
		b.release(h)
		b.checked(1)
		r.served()
		time.Sleep(time.Hour)
		b.acquire()
		b.checked(2)
	})
}

func TestTheErrorOfTheReplacementGoesToItsRequesterAndTheNextMayTry(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.idle(1)
		b.kill()
		b.allDue()
		b.checking(take(100 * time.Millisecond))
		b.creating(take(time.Second).then(inTurn(fail(errRefused), succeed)))
		first, second := b.request(b.ctx), b.request(b.ctx)
		require.ErrorIs(t, first.wait().err, errRefused)
		require.Equal(t, 1100*time.Millisecond, first.took)
		require.NoError(t, second.wait().err)
	})
}

func TestACheckIsBoundedWhateverTheRequestersContext(t *testing.T) {
	virtual(t, PoolOptions{HealthCheckTimeout: 2 * time.Second}, func(t *testing.T, b *backend) {
		b.idle(1)
		b.allDue()
		var left time.Duration
		b.checking(func(ctx context.Context, _ *Conn) error {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return nil
		})
		ctx, cancel := context.WithTimeout(b.ctx, time.Hour)
		defer cancel()
		b.request(ctx).served()
		require.Equal(t, 2*time.Second, left)
	})
}

func TestAPlaceUnderCheckDoesNotKeepARequesterFromACreate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.idle(1)
		b.allDue()
		b.checking(take(time.Second))
		b.request(b.ctx)
		r := b.request(b.ctx)
		r.served()
		require.Zero(t, r.took)
	})
}

// What has hit one connection may have hit them all.
//
//poolgen:if hasSuspicion
func TestAfterAFailedCheckTheOtherIdleConnectionsAreCheckedAtOnce(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		b.idle(5)
		bad := map[*Conn]bool{}
		b.needing(func(*Conn) bool { return true })
		b.checking(func(_ context.Context, c *Conn) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if bad[c] = len(bad) < 2; bad[c] {
				return errDirty
			}
			return nil
		})
		b.request(b.ctx).served()
		synctest.Wait()
		b.needing(func(*Conn) bool { return false })
		b.mu.Lock()
		checks := b.checks
		b.mu.Unlock()
		require.GreaterOrEqual(t, checks, 5, "all have been checked")
		require.EqualValues(t, 2, b.pool.Stats().RetiredUnhealthy)
		b.expect(0, "checking", func(s PoolStats) int { return s.Checking })
	})
}

func TestAllConnectionsKilledNobodyNotices(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
		b.idle(10)
		b.kill()
		b.allDue()
		took := b.load(50, time.Millisecond)
		require.LessOrEqual(t, took[49], 20*time.Millisecond)
		b.mu.Lock()
		defer b.mu.Unlock()
		require.LessOrEqual(t, b.creates, 20)
	})
}

func TestAPanicInACheckIsAFailedCheck(t *testing.T) {
	for name, s := range map[string]script{"panic": panicking("oh no"), "Goexit": exit} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				h := b.acquire()
				b.release(h)
				b.allDue()
				b.checking(s)
				b.acquire()
				require.Equal(t, 1, b.closed(h.Conn()))
				require.ErrorContains(t, b.pool.Stats().LastError, "helpers_test.go", "the stack")
			})
		})
	}
}

func TestAPanicInNeedsHealthCheckIsAnErrorWithItsStack(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.release(h)
		b.needing(func(*Conn) bool { panic("oh no") })
		err := b.request(b.ctx).failed()
		require.ErrorContains(t, err, "oh no")
		require.ErrorContains(t, err, "check_test.go", "the stack")
		require.Equal(t, 1, b.closed(h.Conn()), "nobody knows in which state it is")
		b.acquire()
	})
}

func TestAGoexitInNeedsHealthCheckLosesNoPlace(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.release(h)
		b.needing(func(*Conn) bool { exit(b.ctx, nil); return false })
		go b.pool.Acquire(b.ctx)
		require.Equal(t, 1, b.closed(h.Conn()))
		b.acquire()
	})
}

// A hook may be late where the machine is busy, and many a connection can't bear to be closed meanwhile.
//
//poolgen:if hasCheck && hasClose
func TestAConnectionIsNotClosedWhileItsCheckReturnsALittleLate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, HealthCheckTimeout: 100 * time.Millisecond}, func(t *testing.T, b *backend) {
		var checking, together atomic.Bool
		b.checking(func(ctx context.Context, _ *Conn) error {
			checking.Store(true)
			defer checking.Store(false)
			<-ctx.Done()
			time.Sleep(20 * time.Millisecond)
			return ctx.Err()
		})
		b.closing(func(context.Context, *Conn) error {
			together.Store(together.Load() || checking.Load())
			return nil
		})
		b.acquire().Release()
		b.allDue()
		b.request(b.ctx).wait()
		require.False(t, together.Load())
	})
}

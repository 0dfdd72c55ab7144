package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

//poolgen:if hasCheck && hasNeeds
func TestHLT01AConnectionThatFailsItsCheckIsClosedAndReplacedAndNobodyNotices(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.release(h)
		b.kill()
		b.allDue()
		require.NotSame(t, h.Conn(), b.acquire().Conn())
		require.Equal(t, 1, b.closed(h.Conn()))
		b.checked(1)
		b.created(2)
		if hasStats {
			require.EqualValues(t, 1, b.pool.Stats().RetiredUnhealthy)
		}
	})
}

//poolgen:if hasCheck
func TestHLT02IfTheReplacementFailsTooTheRequesterHasTheErrorOfTheCreate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.release(b.acquire())
		b.kill()
		b.allDue()
		b.creating(inTurn(fail(errRefused), succeed))
		first := b.request(b.ctx)
		require.ErrorIs(t, first.failed(), errRefused)
		if hasStats {
			b.expect(1, "vacant", func(s PoolStats) int { return s.Vacant })
		}
		b.request(b.ctx).served()
	})
}

//poolgen:if hasNeeds
func TestHLT03AConnectionThatIsNotDueIsNotChecked(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		b.release(b.acquire())
		b.kill()
		for range 3 {
			b.release(b.acquire())
		}
		b.checked(0)
	})
}

//poolgen:if hasCheck
func TestHLT04ANewConnectionIsNotChecked(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		asked := 0
		b.needing(func(*Conn) bool { asked++; return true })
		b.acquire()
		b.creating(take(time.Second))
		b.request(b.ctx).wait().served()
		b.checked(0)
		require.Zero(t, asked, "nor is it asked whether it is due")
	})
}

//poolgen:if hasCheck
func TestHLT05AHangingCheckIsBoundedByItsTimeoutAndTheConnectionIsClosed(t *testing.T) {
	for name, hang := range map[string]script{"heeding its context": take(time.Hour), "deaf": deaf(time.Hour)} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1, HealthCheckTimeout: 2 * time.Second}, func(t *testing.T, b *backend) {
				h := b.acquire()
				b.release(h)
				b.allDue()
				b.checking(hang)
				r := b.request(b.ctx).wait()
				require.NotSame(t, h.Conn(), r.served().Conn())
				timeoutIn(t, 2*time.Second, r.took)
				require.Equal(t, 1, b.closed(h.Conn()))
			})
		})
	}
}

//poolgen:if hasCheck
func TestHLT06ASlowCheckDoesNotHoldUpOthers(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.release(b.acquireAll(2)...)
		b.needing(func(c *Conn) bool { return true })
		b.checking(inTurn(take(time.Second), succeed))
		slow := b.request(b.ctx)
		other := b.request(b.ctx)
		other.served()
		require.Zero(t, other.took)
		require.Equal(t, time.Second, slow.wait().took)
	})
}

//poolgen:if hasCheck && hasSuspicion
func TestHLT07AFailoverCostsOneCheckAndOneCreate(t *testing.T) {
	for name, hang := range map[string]script{
		"failing":             take(time.Second).then(fail(errors.New("reset by peer"))),
		"heeding its context": take(time.Hour),
		"deaf":                deaf(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 20}, func(t *testing.T, b *backend) {
				b.release(b.acquireAll(20)...)
				b.allDue()
				b.checking(hang)
				b.creating(take(createTime))
				r := b.request(b.ctx).wait()
				r.served()
				within(t, time.Second+createTime, time.Second+createTime+50*time.Millisecond, r.took, "the failover")
				time.Sleep(time.Minute)
				b.left(1)
			})
		})
	}
}

// As what is new is not checked, a requester tries each idle connection once at most, and then has a new one, or
// the error of its create.
//
//poolgen:if hasCheck
func TestHLT08AcquireEndsAfterABoundedNumberOfChecksIfAllFail(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
		b.release(b.acquireAll(4)...)
		b.allDue()
		b.checking(fail(errDirty))
		b.creating(inTurn(fail(errRefused), succeed))
		require.ErrorIs(t, b.request(b.ctx).failed(), errRefused)
		b.checked(4)
		b.created(5)
		for range 20 {
			b.release(b.request(b.ctx).served())
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		require.LessOrEqual(t, b.checks, 4+20)
		require.LessOrEqual(t, b.creates, 5+20)
	})
}

//poolgen:if hasBroken
func TestHLT09AConnectionThatSaysThatItIsBrokenIsClosedOnRelease(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		waiter := b.request(b.ctx)
		b.breaking(func(c *Conn) bool { return c == h.Conn() })
		b.release(h)
		require.NotSame(t, h.Conn(), waiter.served().Conn(), "the place is free")
		if hasClose {
			require.Equal(t, 1, b.closed(h.Conn()))
		}
		b.release(waiter.held)
		require.Same(t, waiter.held.Conn(), b.acquire().Conn(), "others go on")
	})
}

//poolgen:if hasCheck
func TestHLT13AllConnectionsKilledByTheServerNobodyNotices(t *testing.T) {
	for _, slow := range []time.Duration{0, time.Millisecond, 500 * time.Millisecond} {
		virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
			b.release(b.acquireAll(10)...)
			b.created(10)
			b.kill()
			b.allDue()
			b.checking(take(slow))
			b.creating(take(time.Millisecond))
			for _, r := range b.requests(10) {
				b.release(r.wait().served())
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			require.LessOrEqual(t, b.creates, 10+10)
		})
	}
}

// The backend fails a test when two checks of one connection run at a time, or one on a leased connection.
//
//poolgen:if hasCheck
func TestHLT14NoCheckRunsOnALeasedConnectionNorTwiceAtATime(t *testing.T) {
	crowd := func(b *backend, leases int, while time.Duration) {
		b.allDue()
		b.checking(func(ctx context.Context, c *Conn) error { return take(rand.N(while))(ctx, c) })
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				for range leases {
					h := b.acquire()
					time.Sleep(rand.N(while))
					h.Release()
					time.Sleep(2 * rand.N(while))
				}
			})
		}
		all.Wait()
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Positive(b, b.checks)
	}
	options := PoolOptions{MaxSize: 5, HealthCheckTimeout: time.Hour}
	options.HealthCheckPeriod = 10 * time.Minute //poolgen:if hasBackground
	virtual(t, options, func(t *testing.T, b *backend) { crowd(b, 200, 4*time.Minute) })
	t.Run("in real time", func(t *testing.T) {
		options.HealthCheckPeriod = 5 * time.Millisecond //poolgen:if hasBackground
		b := newBackend(t, options)
		crowd(b, 50, 2*time.Millisecond)
		b.finish(b.rest)
	})
}

//poolgen:if hasCheck && hasNeeds && hasStats
func TestHLT16TheErrorOfACheckIsSeenInTheStatistics(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.release(b.acquireAll(2)...)
		b.allDue()
		b.checking(inTurn(fail(errDirty), succeed))
		b.acquire()
		synctest.Wait()
		s := b.pool.Stats()
		require.EqualValues(t, 1, s.RetiredUnhealthy)
		require.ErrorIs(t, s.LastError, errDirty)
		var failure *PoolError
		require.True(t, errors.As(s.LastError, &failure))
		require.Equal(t, "health check", failure.Op)
	})
}

//poolgen:if hasCheck && observesCheckFailed
func TestHLT16TheErrorOfACheckIsToldToTheObserver(t *testing.T) {
	d := newDiary()
	virtual(t, PoolOptions{MaxSize: 2, Observer: d.observer()}, func(t *testing.T, b *backend) {
		b.release(b.acquireAll(2)...)
		b.allDue()
		b.checking(inTurn(fail(errDirty), panicking("oh no"), succeed))
		b.acquire()
		synctest.Wait()
		require.Len(t, d.checkErrors, 2)
		require.True(t, errors.Is(d.checkErrors[0], errDirty) || errors.Is(d.checkErrors[1], errDirty), "%v", d.checkErrors)
	})
}

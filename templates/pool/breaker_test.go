package pool

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// breaking are the options of most of these tests.
//
//poolgen:if hasBreaker
var breaking = PoolOptions{MaxSize: 5, BreakAfter: 3, BreakTime: 5 * time.Second}

// trip has the breaker trip.
//
//poolgen:if hasBreaker
func (b *backend) trip() {
	b.Helper()
	b.creating(fail(errRefused))
	for range 3 {
		require.ErrorIs(b, b.request(b.ctx).failed(), errRefused)
	}
}

//poolgen:if hasBreaker
func TestASuccessBetweenFailuresKeepsTheBreakerFromTripping(t *testing.T) {
	virtual(t, breaking, func(t *testing.T, b *backend) {
		b.creating(inTurn(fail(errRefused), fail(errRefused), succeed, fail(errRefused), fail(errRefused), succeed))
		for i := range 6 {
			if r := b.request(b.ctx); i%3 == 2 {
				r.served().Discard()
			} else {
				r.failed()
			}
		}
		b.created(6)
	})
}

//poolgen:if hasBreaker
func TestAWaiterForALeaseWaitsAlthoughTheBreakerHasTripped(t *testing.T) {
	virtual(t, breaking, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.trip()
		r := b.request(b.ctx)
		r.waits()
		b.created(4)
		time.Sleep(time.Second)
		b.release(h)
		require.Same(t, h.Conn(), r.served().Conn())
		b.created(4)
	})
}

//poolgen:if hasBreaker
func TestAfterBreakTimeAWaiterGetsAProbeWithoutAnybodysDoing(t *testing.T) {
	virtual(t, breaking, func(t *testing.T, b *backend) {
		b.acquire()
		b.trip()
		first, second := b.request(b.ctx), b.request(b.ctx)
		b.creating(take(time.Second).then(inTurn(fail(errRefused), succeed)))
		require.ErrorIs(t, first.wait().err, errRefused)
		require.Equal(t, 6*time.Second, first.took)
		require.NoError(t, second.wait().err)
		require.Equal(t, 12*time.Second, second.took)
		b.peaked(1)
	})
}

//poolgen:if hasBreaker
func TestWhenTheBreakerTripsAllWaitersHaveTheErrorIfThereIsNoConnection(t *testing.T) {
	virtual(t, breaking, func(t *testing.T, b *backend) {
		b.creating(take(time.Second).then(fail(errRefused)))
		for _, r := range b.requests(30) {
			require.ErrorIs(t, r.wait().err, errRefused)
			require.Equal(t, time.Second, r.took)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		require.LessOrEqual(t, b.creates, 5+2, "these two in the places of the first two that failed")
	})
}

//poolgen:if hasBreaker
func TestIdleConnectionsAreLeasedAlthoughTheBreakerHasTripped(t *testing.T) {
	virtual(t, breaking, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.trip()
		b.release(h)
		for range 3 {
			b.release(b.request(b.ctx).served())
		}
	})
}

//poolgen:if hasBreaker
func TestAClosedPoolSaysSoAlthoughItsBreakerHasTripped(t *testing.T) {
	virtual(t, breaking, func(t *testing.T, b *backend) {
		b.trip()
		require.NoError(t, b.closePool(0))
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolClosed)
	})
}

//poolgen:if hasBreaker && hasRetry
func TestTheBreakerCountsCreatesAndNotAttempts(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, BreakAfter: 2, CreateRetries: 3}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		b.request(b.ctx).wait().failed()
		b.request(b.ctx).wait().failed()
		b.created(8)
		r := b.request(b.ctx)
		require.ErrorIs(t, r.failed(), errRefused)
		require.Zero(t, r.took)
		b.created(8)
	})
}

//poolgen:if hasBreaker && hasClose
func TestTheErrorOfATrippedBreakerIsThatOfACreate(t *testing.T) {
	virtual(t, breaking, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.trip()
		b.closing(fail(errDirty))
		h.Discard()
		synctest.Wait()
		require.ErrorIs(t, b.request(b.ctx).failed(), errRefused)
	})
}

//poolgen:if hasBreaker && hasOutside
func TestRequestersWhoGiveUpDoNotTripTheBreaker(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, BreakAfter: 3}, func(t *testing.T, b *backend) {
		b.overflows = true
		h := b.acquire()
		b.creating(take(time.Second))
		for range 3 {
			ctx, cancel := context.WithTimeout(b.ctx, 10*time.Millisecond)
			b.start(ctx, b.pool.AcquireOrCreate).wait().failed()
			cancel()
		}
		h.Discard()
		require.NoError(t, b.request(b.ctx).wait().err)
	})
}

//poolgen:if hasBreaker && resetsAway
func TestAConnectionUnderResetIsWorthWaitingForAlthoughTheBreakerHasTripped(t *testing.T) {
	virtual(t, breaking, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.trip()
		b.resetting(unlessHere(take(500 * time.Millisecond)))
		b.release(h)
		r := b.request(b.ctx).wait()
		require.NoError(t, r.err)
		require.Equal(t, 500*time.Millisecond, r.took)
	})
}

//poolgen:if hasBreaker && hasIdle
func TestMinIdleHeedsTheBreaker(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 9, MinIdle: 5, BreakAfter: 3, BreakTime: time.Minute}, func(t *testing.T, b *backend) {
		b.losing(5)
		b.creating(fail(errRefused))
		time.Sleep(59 * time.Second)
		b.created(5 + 5) // those that failed were begun at the same time
		time.Sleep(time.Hour)
		b.closePool(0) // so that the upkeep ends
		b.mu.Lock()
		defer b.mu.Unlock()
		require.LessOrEqual(t, b.creates, 5+5+61, "one probe a minute")
	})
}

//poolgen:if hasBreaker && hasOutside
func TestAcquireOrCreateHeedsTheBreaker(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, BreakAfter: 3, BreakTime: time.Minute}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.acquire()
		b.trip()
		b.creating(succeed)
		time.Sleep(time.Minute)
		b.acquire()
		b.creating(fail(errRefused))
		for range 5 {
			require.ErrorIs(t, b.start(b.ctx, b.pool.AcquireOrCreate).failed(), errRefused)
		}
		b.created(1 + 3 + 1 + 3)
	})
}

//poolgen:if hasBreaker && hasTry
func TestTryAcquireDoesNotWaitForATrippedBreaker(t *testing.T) {
	virtual(t, breaking, func(t *testing.T, b *backend) {
		b.acquire()
		b.trip()
		r := b.start(b.ctx, b.pool.TryAcquire).wait()
		require.Error(t, r.err)
		require.Zero(t, r.took)
	})
}

//poolgen:if hasBreaker && resetsAway
func TestABreakerThatTripsDoesNotSendHomeThoseWhoMayWaitForAReset(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, BreakAfter: 1, BreakTime: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.resetting(unlessHere(take(500 * time.Millisecond)))
		b.release(h)
		b.creating(take(100 * time.Millisecond).then(fail(errRefused)))
		first, second := b.request(b.ctx), b.request(b.ctx)
		require.ErrorIs(t, first.wait().err, errRefused)
		require.NoError(t, second.wait().err)
		require.Equal(t, 500*time.Millisecond, second.took)
	})
}

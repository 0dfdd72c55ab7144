package pool

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWaitersAreServedInTheOrderTheyCame(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		all := b.requests(50)
		for i, r := range all {
			b.release(h)
			h = r.served()
			if i+1 < len(all) {
				all[i+1].waits()
			}
		}
		b.created(1)
	})
}

func TestWaitersOfSeveralConnectionsAreServedInTheOrderTheyCame(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(3)
		all := b.requests(30)
		for i, r := range all {
			b.release(held[i])
			held = append(held, r.served())
		}
	})
}

func TestANewcomerDoesNotOvertakeAWaiter(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		waiter := b.request(b.ctx)
		h.leave()
		h.Lease.Release() // and before anybody else runs:
		newcomer := b.launch(b.ctx, b.pool.Acquire, nil)
		synctest.Wait()
		waiter.served()
		newcomer.waits()
	})
}

func TestAReleaseWakesOneWaiter(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		all := b.requests(3)
		b.release(held[1])
		all[0].served()
		all[1].waits()
		all[2].waits()
		require.Equal(t, 2, b.pool.Stats().Waiting)
	})
}

func TestWaitersWhoseContextEndsInTheInstantOfTheReleaseAreSkipped(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		ctx, cancel := context.WithCancel(b.ctx)
		first, second := b.request(ctx), b.request(ctx)
		third := b.request(b.ctx)
		cancel()
		h.Release() // before the waiters could know
		synctest.Wait()
		third.served()
		require.Zero(t, third.took, "the live waiter is served at once")
		require.ErrorIs(t, first.failed(), context.Canceled)
		require.ErrorIs(t, second.failed(), context.Canceled)
	})
}

func TestIfAllWaitersAreGoneTheConnectionIsIdle(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		ctx, cancel := context.WithCancel(b.ctx)
		r := b.request(ctx)
		cancel()
		b.release(h)
		r.failed()
		b.expect(1, "idle", func(s PoolStats) int { return s.Idle })
		require.Same(t, h.Conn(), b.acquire().Conn())
	})
}

func TestAWaiterReturnsAtItsDeadline(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.acquire()
		cause := errors.New("the user is impatient")
		ctx, cancel := context.WithTimeoutCause(b.ctx, 3*time.Second, cause)
		defer cancel()
		others := b.requests(2)
		r := b.request(ctx).wait()
		require.Equal(t, 3*time.Second, r.took)
		require.ErrorIs(t, r.err, context.DeadlineExceeded)
		require.ErrorIs(t, r.err, cause)
		require.NotErrorIs(t, r.err, ErrPoolExhausted)
		for _, fact := range []string{"acquire", "3s", "1 are in use", "2 others wait"} {
			require.ErrorContains(t, r.err, fact)
		}
		others[0].waits()
		require.Equal(t, 2, b.pool.Stats().Waiting)
	})
}

func TestACancelledWaiterReturnsAtOnceAndTheQueueIsUnharmed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		cause := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(b.ctx)
		first, second, third := b.request(b.ctx), b.request(ctx), b.request(b.ctx)
		cancel(cause)
		require.ErrorIs(t, second.failed(), context.Canceled)
		require.ErrorIs(t, second.failed(), cause)
		b.release(h)
		b.release(first.served())
		third.served()
	})
}

func TestAThousandWaitersReturnAtTheSameDeadline(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.acquire()
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		var all []*request
		for range 1000 {
			all = append(all, b.launch(ctx, b.pool.Acquire, nil))
		}
		for _, r := range all {
			require.ErrorIs(t, r.wait().err, context.DeadlineExceeded)
			require.Equal(t, time.Second, r.took)
		}
		b.expect(0, "waiting", func(s PoolStats) int { return s.Waiting })
	})
}

func TestManyWaitersAreAllServed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
		var all []*request
		for range 5000 {
			all = append(all, b.launch(b.ctx, b.pool.Acquire, func(h *held) { time.Sleep(time.Millisecond); h.Release() }))
		}
		for _, r := range all {
			require.NoError(t, r.wait().err)
		}
	})
}

func TestMaxWaiters(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, MaxWaiters: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		ctx, cancel := context.WithCancel(b.ctx)
		last := b.request(ctx)
		all := b.requests(2)
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolExhausted)
		require.EqualValues(t, 1, b.pool.Stats().Rejected)

		cancel()
		last.failed()
		all = append(all, b.request(b.ctx)) // in the place of the one that left
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolExhausted)
		b.release(held...)
		all[0].served()
		all[1].served()
		all[2].waits()
	})
}

func TestMaxWaitersDoesNotCountThoseForWhomThereIsAPlace(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4, MaxWaiters: 1}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		all := b.requests(5)
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolExhausted)
		time.Sleep(10 * time.Second)
		for _, r := range all[:4] {
			r.served()
		}
		all[4].waits()
	})
}

func TestARequesterWhoseCheckFailsIsNotRejected(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, MaxWaiters: 1}, func(t *testing.T, b *backend) {
		b.idle(1)
		b.kill()
		b.allDue()
		b.checking(take(100 * time.Millisecond))
		first := b.request(b.ctx)
		second := b.request(b.ctx) // the one waiter there may be
		first.wait()
		require.NoError(t, first.err, "it came first, and did not have to wait")
		second.waits()
	})
}

func TestARequesterWhoseCheckFailsKeepsItsTurn(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		first, second := b.request(b.ctx), b.request(b.ctx)
		b.kill()
		b.allDue()
		b.release(h)
		synctest.Wait()
		first.served()
		second.waits()
	})
}

func TestOneGoroutineDoesNotKeepTheConnectionFromAnother(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		greedy := func() {
			for b.ctx.Err() == nil {
				if h, err := b.pool.Acquire(b.ctx); err == nil {
					time.Sleep(time.Millisecond)
					h.Release()
				}
			}
		}
		go greedy()
		time.Sleep(10500 * time.Microsecond)
		r := b.request(b.ctx).wait()
		require.LessOrEqual(t, r.took, time.Millisecond)
		b.release(r.held)
	})
}

func TestWaitsAndWaitTimeAreExact(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		before := b.pool.Stats()
		r := b.request(b.ctx)
		time.Sleep(3 * time.Second)
		b.release(h)
		r.served()
		after := b.pool.Stats()
		require.EqualValues(t, 1, after.Waits-before.Waits)
		require.Equal(t, 3*time.Second, after.WaitTime-before.WaitTime)
	})
}

package pool

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

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
		require.NotErrorIs(t, r.err, ErrPoolExhausted) //poolgen:if hasQueue
		for _, fact := range []string{"acquire", "3s", "1 are in use", "2 others wait"} {
			require.ErrorContains(t, r.err, fact)
		}
		others[0].waits()
		require.Equal(t, 2, b.pool.Stats().Waiting)
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

// Else a releaser who has read limit a moment before makes a place idle beside the first who waits, and tells nobody:
// unlock would set limit, but too late.
func TestWhoBeginsToWaitShutsTheFastPathAtOnce(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		synctest.Wait() // the goroutine that created the connection has opened it
		require.NotZero(t, b.pool.limit.Load())
		b.pool.mu.Lock()
		w := b.pool.newWaiter(b.ctx, b.ctx.Done(), time.Now())
		b.pool.insert(w)
		limit := b.pool.limit.Load()
		b.pool.remove(w)
		b.pool.unlock()
		require.Zero(t, limit)
		h.Release()
	})
}

// A requester may be given a place, and its context end, before it has come to wait: it finds both.
func TestAPlaceIsNotLostIfTheContextEndsBeforeItsRequesterSeesIt(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		for range 50 {
			ctx, cancel := context.WithCancel(b.ctx)
			b.pool.mu.Lock()
			w := b.pool.newWaiter(ctx, ctx.Done(), time.Now())
			b.pool.insert(w)
			b.pool.unlock()
			b.release(h)
			cancel()
			b.pool.mu.Lock()
			s, err := b.pool.wait(w)
			require.NoError(t, err)
			h = b.hold(s.lease())
		}
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

package pool

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A place knows how old the connection is that it had before; that is nothing to the one which comes next.
//
//poolgen:if hasLifetime
func TestAConnectionIsNotRetiredForTheAgeOfItsPredecessor(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 2, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		h := b.acquire()
		time.Sleep(lifetime / 2)
		b.acquire() // keeps the upkeep going
		h.Discard()
		b.creating(take(5 * time.Second))
		time.Sleep(lifetime/2 - 2*time.Second)
		r := b.request(b.ctx).wait()
		require.Equal(t, 5*time.Second, r.took)
		b.release(r.served())
		require.Zero(t, b.closed(r.held.Conn()))
		b.created(3)
		require.Zero(t, b.pool.Stats().RetiredExpired)
	})
}

// While the old ones and their successors are both there, the pool has more than MaxIdle. None of them is surplus.
//
//poolgen:if hasLifetime && hasIdle
func TestASuccessorIsNotSurplus(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 6, MinIdle: 3, MaxIdle: 3, MaxLifetime: lifetime, MaxLifetimeJitter: 1}, func(t *testing.T, b *backend) {
		b.expect(3, "idle", idleOf)
		time.Sleep(lifetime + lifetime/2)
		b.expect(3, "idle", idleOf)
		b.created(6)
		require.EqualValues(t, 3, b.pool.Stats().RetiredExpired)
		require.Zero(t, b.pool.Stats().RetiredSurplus)
	})
}

//poolgen:if hasIdle
func TestIdleTimeoutIsEnforcedInAPoolThatIsAlwaysBusy(t *testing.T) {
	const timeout = 20 * time.Second
	ageing(t, PoolOptions{MaxSize: 20, IdleTimeout: timeout}, func(t *testing.T, b *backend) {
		b.idle(20)
		for range 4 {
			go during(3*timeout, 0, func() {
				h := b.acquire()
				time.Sleep(100 * time.Millisecond)
				h.Release()
			})
		}
		time.Sleep(2 * timeout)
		require.LessOrEqual(t, b.connected(), 8, "four are in use")
		time.Sleep(timeout)
	})
}

//poolgen:if hasIdle && hasDrain
func TestAPoolThatDrainsIsNotFilledUp(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 6, MinIdle: 3}, func(t *testing.T, b *backend) {
		b.expect(3, "idle", idleOf)
		h := b.acquire()
		time.Sleep(2*tick + tick/2)
		b.created(4)
		for _, other := range b.acquireAll(3) {
			other.Discard()
		}
		drained := make(chan error, 1)
		go func() { drained <- b.pool.Drain(b.ctx) }()
		time.Sleep(10 * tick)
		b.left(1)
		b.created(4)
		b.release(h)
		require.NoError(t, <-drained)
	})
}

//poolgen:if hasIdle && hasResize
func TestMinIdleGivesWayToResize(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 6, MinIdle: 4}, func(t *testing.T, b *backend) {
		b.expect(4, "idle", idleOf)
		require.NoError(t, b.pool.Resize(2))
		time.Sleep(10 * tick)
		b.left(2)
		b.created(4)
		require.NoError(t, b.pool.Resize(10))
		time.Sleep(2 * tick)
		b.expect(4, "idle", idleOf)
		synctest.Wait()
	})
}

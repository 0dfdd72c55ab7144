package pool

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStatsSeeEveryPhase(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 8, HealthCheckTimeout: time.Hour, CreateTimeout: time.Hour}, func(t *testing.T, b *backend) {
		held := b.acquireAll(6)
		b.release(held[5])
		b.allDue()
		b.checking(take(time.Minute))
		b.request(b.ctx) // checks the idle one
		b.resetting(unlessHere(take(time.Minute)))
		b.release(held[0])
		b.closing(take(time.Minute))
		held[1].Discard()
		b.creating(take(time.Minute))
		b.request(b.ctx)
		synctest.Wait()
		s := b.pool.Stats()
		require.Equal(t, 8, s.MaxSize)
		require.Equal(t, 3, s.InUse)
		require.Equal(t, 1, s.Checking)
		require.Equal(t, 1, s.Resetting)
		require.Equal(t, 1, s.Closing)
		require.Equal(t, 1, s.Creating)
		require.Equal(t, 1, s.Vacant)
		require.Zero(t, s.Idle)
		require.Equal(t, 1, s.Waiting)
		b.whole()
	})
}

func TestStatsCountWhyConnectionsWent(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 6}, func(t *testing.T, b *backend) {
		held := b.acquireAll(5)
		held[0].Discard()
		held[1].Detach()
		b.breaking(func(*Conn) bool { return true })
		b.release(held[2])
		b.breaking(func(*Conn) bool { return false })
		b.release(held[3])
		b.kill()
		b.allDue()
		b.acquire()
		synctest.Wait()
		s := b.pool.Stats()
		require.EqualValues(t, 1, s.RetiredDiscarded)
		require.EqualValues(t, 1, s.Detached)
		require.EqualValues(t, 1, s.RetiredBroken)
		require.EqualValues(t, 1, s.RetiredUnhealthy)
		require.Zero(t, s.RetiredUnwanted)
		require.EqualValues(t, 6, s.Created)
		b.balanced()
		b.closePool(0)
		b.release(held[4])
		require.EqualValues(t, 1, b.pool.Stats().RetiredUnwanted)
	})
}

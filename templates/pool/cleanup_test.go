package pool

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// cleaned is how many of the connections that the backend has made were cleaned up after.
func (b *backend) cleaned() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, a := range b.conns {
		n += a.cleaned
	}
	return n
}

//poolgen:if hasCleanup
func TestACleanupFollowsTheClose(t *testing.T) {
	for name, closing := range map[string]script{"succeeds": succeed, "fails": fail(errors.New("gone")), "panics": panicking("gone"), "exits": exit} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				b.closing(closing)
				b.acquire().Discard()
				synctest.Wait()
				require.Equal(t, 1, b.cleaned())
				b.acquire().Release()
				require.Equal(t, 1, b.cleaned())
			})
		})
	}
}

//poolgen:if hasCleanup
func TestACleanupThatPanicsLosesNothing(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		usual := b.pool.context.clean
		b.pool.context.clean = func(c *Conn) func() {
			cleanup := usual(c)
			return func() { cleanup(); panic("gone") }
		}
		b.acquire().Discard()
		b.acquire().Release()
	})
}

//poolgen:if hasCleanup
func TestAConnectionThatComesTooLateIsCleanedUpAfter(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateTimeout: time.Second}, func(t *testing.T, b *backend) {
		b.creating(deaf(time.Minute))
		_, err := b.pool.Acquire(context.Background())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 1, b.cleaned())
		b.heal()
	})
}

//poolgen:if hasCleanup && hasDetach
func TestWhoDetachesCleansUp(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		require.Nil(t, Lease{}.Cleanup())
		h := b.acquire()
		cleanup := h.Cleanup()
		h.Detach()
		require.Nil(t, h.Cleanup())
		cleanup()
		require.Equal(t, 1, b.cleaned())
	})
}

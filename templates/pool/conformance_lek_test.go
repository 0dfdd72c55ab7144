package pool

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// reports makes the options tell of leaks to a channel.
//
//poolgen:if hasLeaks
func reports(options PoolOptions) (PoolOptions, chan Leak) {
	leaks := make(chan Leak, 100)
	options.OnLeak = func(l Leak) { leaks <- l }
	return options, leaks
}

//poolgen:if hasLeaks
func TestLEK01ALeaseOlderThanTheThresholdIsReportedOnce(t *testing.T) {
	options, leaks := reports(PoolOptions{MaxSize: 2, LeakThreshold: time.Minute})
	virtual(t, options, func(t *testing.T, b *backend) {
		begun := time.Now()
		b.acquire()
		time.Sleep(59 * time.Second)
		require.Empty(t, leaks)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, leaks, 1)
		leak := <-leaks
		require.Equal(t, begun, leak.Since)
		require.Contains(t, leak.Stack, "conformance_lek_test.go")
		require.False(t, leak.Lost)
	})
}

//poolgen:if hasLeaks
func TestLEK01WhoIsToldOfALeaseMayAskThePool(t *testing.T) {
	var b *backend
	var asked []int
	tell := func(Leak) { asked = append(asked, len(b.pool.Leases(0))) }
	virtual(t, PoolOptions{MaxSize: 2, LeakThreshold: time.Minute, OnLeak: tell}, func(t *testing.T, of *backend) {
		b = of
		b.acquire()
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, []int{1}, asked)
	})
}

//poolgen:if hasLeaks
func TestLEK02ALeaseReturnedInTimeIsNotReported(t *testing.T) {
	options, leaks := reports(PoolOptions{MaxSize: 1, LeakThreshold: time.Minute})
	virtual(t, options, func(t *testing.T, b *backend) {
		for range 10 {
			h := b.acquire()
			time.Sleep(40 * time.Second)
			b.release(h)
		}
		require.Empty(t, leaks)
		require.Empty(t, b.pool.Leases(0))
	})
}

//poolgen:if hasLeaks
func TestLEK01CloseNamesWhoHoldsLeases(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.acquire()
		time.Sleep(time.Minute)
		b.acquire()
		require.Len(t, b.pool.Leases(0), 2)
		require.Len(t, b.pool.Leases(time.Second), 1)
		err := b.closePool(time.Second)
		require.ErrorContains(t, err, "leased for 1m1s, acquired by:")
		require.ErrorContains(t, err, "conformance_lek_test.go")
	})
}

// plain is a pool without the account that a backend keeps, which would hold on to connections.
func plain(t *testing.T, options PoolOptions, create func() *Conn) *Pool {
	b := newBackend(t, options)
	t.Cleanup(func() {
		require.NoError(t, b.closePool(time.Minute))
		b.end()
	})
	b.pool.context.create = func(context.Context) (*Conn, error) { return create(), nil }
	b.pool.context.close = func(context.Context, *Conn) error { return nil }
	b.pool.context.reset = func(context.Context, *Conn) error { return nil }
	b.pool.context.needs = func(*Conn) bool { return false }
	b.pool.context.broken = func(*Conn) bool { return false }
	return b.pool
}

// collected waits for something to be garbage collected.
func collected(t *testing.T, done func() bool) {
	t.Helper()
	require.Eventually(t, func() bool { runtime.GC(); return done() }, 10*time.Second, time.Millisecond)
}

//poolgen:if hasLeaks
func TestLEK04ALeaseThatIsGarbageCollectedIsReportedAndItsPlaceReclaimed(t *testing.T) {
	options, leaks := reports(PoolOptions{MaxSize: 1})
	pool := plain(t, options, func() *Conn { return new(Conn) })
	for range 3 {
		_, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		collected(t, func() bool { return len(leaks) == 1 })
		leak := <-leaks
		require.True(t, leak.Lost)
		require.Contains(t, leak.Stack, "conformance_lek_test.go")
	}
	require.EqualValues(t, 3, pool.Stats().RetiredLost)
}

//poolgen:if hasLeaks
func TestLEK04NoLeaseThatIsReleasedIsReportedAsLost(t *testing.T) {
	options, leaks := reports(PoolOptions{MaxSize: 2})
	pool := plain(t, options, func() *Conn { return new(Conn) })
	for i := range 2000 {
		lease, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		if i%100 == 0 {
			runtime.GC()
		}
		lease.Release()
	}
	runtime.GC()
	time.Sleep(10 * time.Millisecond)
	require.Empty(t, leaks)
	require.Zero(t, pool.Stats().RetiredLost)
}

// What must be true after every test, finish requires: as many closes as creates, and no goroutine is left in the bubble.
func TestLEK05AfterEachTestNothingIsLeft(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.acquireAll(3)
		b.releaseAll()
	})
}

func TestLEK06ThePoolKeepsNoPointerToADiscardedConnection(t *testing.T) {
	gone := new([4]atomic.Int64) // not so small that it shares a block of memory with others, as for the connections
	pool := plain(t, PoolOptions{MaxSize: 1}, func() *Conn {
		c := new(struct {
			Conn
			_ [64]byte
		})
		runtime.AddCleanup(c, func(int) { gone[0].Add(1) }, 0)
		return &c.Conn
	})
	for range 3 {
		lease, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		lease.Discard()
	}
	collected(t, func() bool { return gone[0].Load() == 3 })
}

func TestLEK07CancelledWaitsLeaveNothingBehind(t *testing.T) {
	pool := plain(t, PoolOptions{MaxSize: 1}, func() *Conn { return new(Conn) })
	lease, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer lease.Release()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for range 20_000 {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(0, cancel)
		_, err := pool.Acquire(ctx)
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Zero(t, pool.stats.Waiting)
	require.Less(t, int64(heap())-int64(before), int64(1<<20))
}

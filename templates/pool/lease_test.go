package pool

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// endings are the ways to end a lease. They report nothing, as callers can't tell who was first.
var endings = map[string]func(Lease){
	"Release": Lease.Release,
	"Discard": Lease.Discard,
	"Detach":  func(l Lease) { l.Detach() }, //poolgen:if hasDetach
}

// fates counts what has become of connections.
func fates(s PoolStats) []uint64 {
	return []uint64{uint64(s.Idle), uint64(s.InUse), uint64(s.Vacant), s.Acquired, s.Created, s.Detached,
		s.RetiredBroken, s.RetiredDiscarded, s.RetiredUnhealthy, s.RetiredUnwanted}
}

func TestALeaseEndsOnce(t *testing.T) {
	for first, end := range endings {
		for second, endAgain := range endings {
			t.Run(first+" then "+second, func(t *testing.T) {
				virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
					h := b.acquire()
					if first == "Detach" {
						h.Detach()
					} else {
						h.leave()
						end(h.Lease)
					}
					synctest.Wait()
					before := fates(b.pool.Stats())
					endAgain(h.Lease)
					synctest.Wait()
					require.Equal(t, before, fates(b.pool.Stats()), "nothing has changed")
				})
			})
		}
	}
}

func TestAStaleLeaseDoesNotTouchTheNextHoldersConnection(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				old := b.acquire()
				b.release(old)
				now := b.acquire()
				require.Same(t, old.Conn(), now.Conn())
				waiter := b.request(b.ctx)
				end(old.Lease)
				waiter.waits()
				require.Zero(t, b.closed(now.Conn()))
				require.Equal(t, 1, b.pool.Stats().InUse)
				b.release(now)
				waiter.served()
			})
		})
	}
}

func TestAStaleLeaseDoesNotTouchTheConnectionThatWasHandedOver(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		old := b.acquire()
		first, second := b.request(b.ctx), b.request(b.ctx)
		b.release(old)
		old.Lease.Release()
		old.Lease.Discard()
		first.served()
		second.waits()
		require.Zero(t, b.closed(first.held.Conn()))
	})
}

func TestAStaleLeaseDoesNotTouchAnotherConnectionInTheSamePlace(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		old := b.acquire()
		old.Discard()
		now := b.acquire()
		require.NotSame(t, old.Conn(), now.Conn())
		old.Lease.Release()
		require.Nil(t, old.Lease.Detach())
		require.Equal(t, 1, b.pool.Stats().InUse)
	})
}

func TestAStaleLeaseDoesNotTakeAnIdleConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.release(h)
		for _, end := range endings {
			end(h.Lease)
			b.expect(1, "idle", func(s PoolStats) int { return s.Idle })
		}
	})
}

func TestConcurrentEndsOfALeaseHaveOneWinner(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 2})
	defer b.finish(b.rest)
	for i := range 2000 {
		h := b.acquire()
		h.leave()
		var start, all sync.WaitGroup
		start.Add(1)
		var detached atomic.Int32
		before := b.pool.Stats()
		for j := range 4 {
			all.Go(func() {
				start.Wait()
				switch (i + j) % 3 {
				case 0:
					h.Lease.Release()
				case 1:
					h.Lease.Discard()
				default:
					if c := h.Lease.Detach(); c != nil {
						detached.Add(1)
						b.set(func() { b.conns[c].gone = true; delete(b.open, c) })
					}
				}
			})
		}
		start.Done()
		all.Wait()
		require.LessOrEqual(t, detached.Load(), int32(1))
		b.rest()
		after := b.pool.Stats()
		require.EqualValues(t, before.Acquired, after.Acquired, "one lease has ended")
		require.Zero(t, after.InUse)
		b.balanced()
	}
}

func TestTheZeroLeaseDoesNothing(t *testing.T) {
	var l Lease
	l.Release()
	l.Discard()
	require.Nil(t, l.Detach())
	require.Nil(t, l.Conn())
	require.False(t, l.Fresh())
}

func TestDiscardClosesTheConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		h.Discard()
		require.Equal(t, 1, b.closed(h.Conn()))
		require.Equal(t, 1, b.pool.Stats().Vacant)
		require.EqualValues(t, 1, b.pool.Stats().RetiredDiscarded)
		require.Zero(t, b.resets, "it is not reset")
	})
}

func TestDetachGivesTheConnectionAwayAndFreesThePlaceForAWaiter(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		waiter := b.request(b.ctx)
		require.Same(t, h.Conn(), h.Detach())
		require.NotSame(t, h.Conn(), waiter.served().Conn())
		require.Zero(t, b.closed(h.Conn()))
		require.EqualValues(t, 1, b.pool.Stats().Detached)
	})
}

func TestDetachAfterClose(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		require.Error(t, b.closePool(time.Second))
		require.Same(t, h.Conn(), h.Detach())
		require.NoError(t, b.closePool(0), "none is left")
	})
}

func TestALeaseHidesTheMethodThatClosesTheConnection(t *testing.T) {
	_, has := reflect.TypeFor[Lease]().MethodByName("Close")
	require.False(t, has)
	_, has = reflect.TypeFor[Lease]().FieldByName("id")
	require.True(t, has, "but has what else the connection has")
}

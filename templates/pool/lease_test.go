package pool

import (
	"reflect"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// endings are the ways to end a lease. They report nothing, as callers can't tell who was first.
var endings = map[string]func(Lease){
	"Release": Lease.Release,
	"Discard": Lease.Discard,
	"Detach":  func(l Lease) { l.Detach() }, //poolgen:if hasDetach
}

// fates counts what has become of connections.
func (b *backend) fates() []uint64 {
	if !hasStats {
		return nil
	}
	s := b.pool.Stats()
	all := []uint64{uint64(s.Idle), uint64(s.InUse), uint64(s.Vacant), s.Acquired, s.Created, s.RetiredDiscarded, s.RetiredUnwanted}
	all = append(all, s.Detached)         //poolgen:if hasDetach
	all = append(all, s.RetiredBroken)    //poolgen:if hasJudges || resetsAway || hasBeforeAcquire
	all = append(all, s.RetiredUnhealthy) //poolgen:if hasCheck
	return all
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
					before := b.fates()
					endAgain(h.Lease)
					synctest.Wait()
					require.Equal(t, before, b.fates(), "nothing has changed")
				})
			})
		}
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

func TestALeaseHidesTheMethodThatClosesTheConnection(t *testing.T) {
	_, has := reflect.TypeFor[Lease]().MethodByName("Close")
	require.False(t, has)
	_, has = reflect.TypeFor[Lease]().FieldByName("id")
	require.True(t, has, "but has what else the connection has")
}

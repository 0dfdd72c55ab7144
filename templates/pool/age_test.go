package pool

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

//poolgen:if hasAge
func TestALeaseTellsWhenItsConnectionWasCreated(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		begun := time.Now()
		h := b.acquire()
		require.Equal(t, begun.Add(time.Second), h.Created())
		b.release(h)
		time.Sleep(time.Minute)
		h = b.acquire()
		require.Equal(t, begun.Add(time.Second), h.Created(), "that does not change")
		h.Discard()
		require.Equal(t, begun.Add(time.Minute+2*time.Second), b.acquire().Created(), "it is another one")
	})
}

//poolgen:if hasAge
func TestALeaseTellsHowOftenItsConnectionHasBeenLeased(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		for _, end := range []func(*held){(*held).Discard, func(h *held) { h.Detach() }, (*held).Discard} {
			h := b.acquire()
			require.EqualValues(t, 1, h.Uses())
			b.release(h)
			require.EqualValues(t, 1, h.Uses(), "of that lease")
			h = b.acquire()
			require.EqualValues(t, 2, h.Uses())
			r := b.request(b.ctx)
			b.release(h)
			require.EqualValues(t, 3, r.served().Uses(), "handed over")
			end(r.held) // so that the next connection is another one in the same place
		}
	})
}

//poolgen:if hasAge && hasCheck && hasRetain
func TestChecksAndSweepsAreNoUses(t *testing.T) {
	options := PoolOptions{MaxSize: 1}
	options.HealthCheckPeriod = time.Minute //poolgen:if hasBackground
	virtual(t, options, func(t *testing.T, b *backend) {
		b.allDue()
		b.release(b.acquire())
		for n := range 3 {
			time.Sleep(time.Hour)
			b.pool.Retain(func(*Conn) bool { return true })
			h := b.acquire()
			require.EqualValues(t, n+2, h.Uses())
			require.Equal(t, time.Hour, h.IdleTime(), "nor do they make it look used")
			b.release(h)
		}
	})
}

//poolgen:if hasAge
func TestALeaseTellsHowLongItsConnectionWasIdle(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		require.Zero(t, h.IdleTime(), "it is new")
		time.Sleep(time.Hour)
		b.release(h)
		time.Sleep(time.Minute)
		h = b.acquire()
		require.Equal(t, time.Minute, h.IdleTime(), "since its release")
		time.Sleep(time.Hour)
		require.Equal(t, time.Minute, h.IdleTime(), "before this lease")
		r := b.request(b.ctx)
		b.release(h)
		require.Zero(t, r.served().IdleTime(), "it was handed over")
	})
}

//poolgen:if hasAge && hasWarm
func TestAConnectionThatWasCreatedAheadIsIdleFromThenOn(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.idle(1)
		time.Sleep(time.Minute)
		h := b.acquire()
		require.Equal(t, time.Minute, h.IdleTime())
		require.EqualValues(t, 1, h.Uses())
	})
}

//poolgen:if hasAge && hasOutside
func TestAFreshConnectionHasAnAgeToo(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.acquire()
		time.Sleep(time.Minute)
		h := b.start(b.ctx, b.pool.AcquireOrCreate).served()
		require.Equal(t, time.Now(), h.Created())
		require.EqualValues(t, 1, h.Uses())
		require.Zero(t, h.IdleTime())
	})
}

//poolgen:if hasAge && hasInsert
func TestTheAgeOfAnInsertedConnectionBeginsWithItsInsertion(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		conn := b.connect(b.ctx, nil)
		time.Sleep(time.Minute)
		require.NoError(t, b.pool.Insert(conn))
		time.Sleep(time.Second)
		h := b.acquire()
		require.Equal(t, time.Now().Add(-time.Second), h.Created())
		require.Equal(t, time.Second, h.IdleTime())
	})
}

package pool

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// nobodyPasses has a pool believe that a goroutine is about to pass on what is idle: it stays idle until somebody takes it,
// whoever runs first. The function that is returned ends that.
//
//poolgen:if hasBarging
func (b *backend) nobodyPasses() (end func()) {
	if resetsAway {
		b.Skip("released connections go to be reset: only generated pools can show this")
	}
	b.pool.passing.Store(true)
	return func() { b.pool.passIdle(); synctest.Wait() }
}

// again is a release and an acquire right after it.
//
//poolgen:if hasBarging
func (b *backend) again(h *held) *request {
	h.Release()
	return b.request(b.ctx)
}

//poolgen:if hasBarging
func TestARequesterMayGoBeforeThoseWhoWait(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, Barging: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquire()
		first, second := b.request(b.ctx), b.request(b.ctx)
		end := b.nobodyPasses()
		barger := b.again(h).served()
		first.waits()
		barger.Release()
		end()
		h = first.served()
		second.waits() // in the order they came
		b.release(h)
		second.served()
	})
}

//poolgen:if hasBarging
func TestNobodyIsPassedMoreThanSevenTimesInARow(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, Barging: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquire()
		for range 5 {
			waiter := b.request(b.ctx)
			end := b.nobodyPasses()
			passed := 0
			r := b.again(h)
			for ; r.held != nil; r = b.again(r.held) {
				passed++
			}
			require.LessOrEqual(t, passed, 7)
			end()
			b.release(waiter.served())
			h = r.served()
		}
	})
}

//poolgen:if hasBarging
func TestNobodyIsPassedWhoHasWaitedForLongerThanBarging(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, Barging: time.Second}, func(t *testing.T, b *backend) {
		h := b.acquireAll(2)
		first, second := b.request(b.ctx), b.request(b.ctx)
		time.Sleep(time.Second)
		synctest.Wait()
		b.nobodyPasses()
		b.again(h[0]).waits()
		first.served()
		b.again(h[1]).waits()
		second.served()
	})
}

//poolgen:if hasBarging
func TestOthersMayBeBargedPastWhenTheOldestIsServed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, Barging: time.Second}, func(t *testing.T, b *backend) {
		h := b.acquire()
		first := b.request(b.ctx)
		time.Sleep(900 * time.Millisecond)
		second := b.request(b.ctx)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		end := b.nobodyPasses()
		b.release(h)
		h = b.again(first.served()).served()
		second.waits()
		time.Sleep(900 * time.Millisecond)
		synctest.Wait()
		b.again(h).waits()
		second.served()
		end()
	})
}

// A requester who has been refused a connection is in front again, whoever has waited for longer.
//
//poolgen:if hasBarging && hasCheck && hasNeeds
func TestNobodyBargesPastARequesterWhoseConnectionFailedItsCheck(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, Barging: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.nobodyPasses()
		b.allDue()
		b.kill()
		b.creating(take(time.Second))
		refused := b.request(b.ctx)
		next := b.request(b.ctx)
		h.Release()
		h.b.pool.passIdle()
		refused.waits()
		require.Zero(t, b.pool.limit.Load())
		refused.wait().served().Release()
		next.wait().served()
	})
}

//poolgen:if hasBarging
func TestNobodyBargesWhereWaitersComeLate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, Barging: time.Minute}, func(t *testing.T, b *backend) {
		b.pool.prompt.Store(0)
		h := b.acquire()
		waiter := b.request(b.ctx)
		b.nobodyPasses()
		b.again(h).waits()
		waiter.served()
	})
}

//poolgen:if hasBarging
func TestNobodyBargesUnlessAnOptionSaysSo(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		waiter := b.request(b.ctx)
		b.nobodyPasses()
		b.again(h).waits()
		waiter.served()
	})
}

//poolgen:if hasBarging
func TestWhatNobodyTakesGoesToThoseWhoWait(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, Barging: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquire()
		for range 40 {
			waiter := b.request(b.ctx)
			b.release(h)
			h = waiter.served()
		}
	})
}

//poolgen:if hasBarging
func TestAllThatNobodyTakesGoesToThoseWhoWait(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, Barging: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquireAll(3)
		all := b.requests(3)
		end := b.nobodyPasses()
		b.release(h...)
		for _, r := range all {
			r.waits()
		}
		end()
		for _, r := range all {
			r.served()
		}
	})
}

//poolgen:if hasBarging
func TestCloseEndsBarging(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, Barging: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquireAll(2)
		waiter, next := b.request(b.ctx), b.request(b.ctx)
		end := b.nobodyPasses()
		b.release(h[0])
		closed := b.closeLater(b.ctx)
		require.ErrorIs(t, waiter.failed(), ErrPoolClosed)
		require.ErrorIs(t, next.failed(), ErrPoolClosed)
		require.ErrorIs(t, b.again(h[1]).failed(), ErrPoolClosed)
		require.NoError(t, <-closed)
		end()
	})
}

// Who learns that waiters come late, while others barge, has to learn it from what is owed, which is timed now and then.
//
//poolgen:if hasBarging
func TestWhatIsOwedIsTimed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, Barging: time.Minute}, func(t *testing.T, b *backend) {
		h := b.acquire()
		timed := 0
		for range 128 {
			waiter := b.request(b.ctx)
			b.nobodyPasses()
			r := b.again(h)
			for r.held != nil {
				r = b.again(r.held)
			}
			if b.pool.timed(waiter.served().slot) {
				timed++
			}
			b.pool.passing.Store(false)
			b.release(waiter.held)
			h = r.served()
		}
		require.Greater(t, timed, 32)
	})
}

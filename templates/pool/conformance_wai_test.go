package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWAI01WaitersAreServedInTheOrderTheyCame(t *testing.T) {
	for _, size := range []int{1, 3} {
		virtual(t, PoolOptions{MaxSize: size}, func(t *testing.T, b *backend) {
			held := b.acquireAll(size)
			all := b.requests(50)
			for i, r := range all {
				b.release(held[i])
				held = append(held, r.served())
				if i+1 < len(all) {
					all[i+1].waits()
				}
			}
			b.created(size)
		})
	}
}

func TestWAI02ANewcomerDoesNotOvertakeAWaiter(t *testing.T) {
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

func TestWAI02NewcomersThatRaceWithTheReleaseDoNotOvertakeAWaiter(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 1})
	defer b.finish(b.rest)
	for range 300 {
		h := b.acquire()
		var served atomic.Bool
		var all sync.WaitGroup
		all.Go(func() {
			h := b.acquire()
			served.Store(true)
			h.Release()
		})
		for b.waiting() == 0 {
			runtime.Gosched()
		}
		for range 3 {
			all.Go(func() {
				h := b.acquire()
				if !served.Load() {
					b.violation("a newcomer has overtaken a waiter")
				}
				h.Release()
			})
		}
		h.Release()
		all.Wait()
	}
}

// TestWAI03NoWaiterSleepsBesideAnIdleConnection looks for a lost wake-up between those who begin to wait, also
// after a failed check, and those who release. The pauses see to it that now and then nobody waits: it is the first
// in the queue who may miss what became idle a moment before. With -long it takes its time.
func TestWAI03NoWaiterSleepsBesideAnIdleConnection(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 1})
	defer b.finish(b.rest)
	if hasNeeds {
		b.needing(func(*Conn) bool { return rand.IntN(200) == 0 })
		b.checking(fail(errDirty))
	}
	rounds, patience := 10000, 50*time.Second
	if *long {
		rounds, patience = 500000, 5*time.Minute
	} else if testing.Short() {
		rounds = 5000
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range 2 {
		all.Go(func() {
			for range rounds {
				lease, err := b.pool.Acquire(ctx)
				if err != nil {
					b.violation("a waiter was forgotten: %v", err)
					return
				}
				lease.Release()
				if rand.IntN(20) == 0 {
					time.Sleep(rand.N(20 * time.Microsecond))
				}
			}
		})
	}
	all.Wait()
}

// TestWAI04ManyWaitersAreAllServed has 25000 of them, 6250 at a time, as the race detector bears no more
// than 8128 goroutines.
func TestWAI04ManyWaitersAreAllServed(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 10, HealthCheckTimeout: time.Minute})
	defer b.finish(b.rest)
	for range 4 {
		held := b.acquireAll(10)
		var served atomic.Int32
		var all sync.WaitGroup
		for range 6250 {
			all.Go(func() {
				h := b.acquire()
				served.Add(1)
				h.Release()
			})
		}
		for b.waiting() < 6250 {
			time.Sleep(time.Millisecond)
		}
		for _, h := range held {
			h.Release()
		}
		all.Wait()
		require.EqualValues(t, 6250, served.Load())
	}
	b.created(10)
}

//poolgen:if hasLimits
func TestWAI05MoreThanMaxWaitersFailAtOnceAndTheQueueIsUnharmed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, MaxWaiters: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		all := b.requests(3)
		tooMany := b.request(b.ctx)
		require.ErrorIs(t, tooMany.failed(), ErrPoolExhausted)
		require.Zero(t, tooMany.took)
		if hasStats {
			require.EqualValues(t, 1, b.pool.Stats().Rejected)
		}
		require.Equal(t, 3, b.waiting())
		for i, r := range all {
			b.release(held[i])
			held = append(held, r.served())
		}
	})
}

//poolgen:if hasLimits
func TestWAI06TheQueueNeverExceedsMaxWaiters(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 2, MaxWaiters: 5})
	defer b.finish(b.rest)
	for _, h := range b.acquireAll(2) { // so that no place is vacant, for those don't count for whom one is
		h.Release()
	}
	var crowd, watch sync.WaitGroup
	var rejected atomic.Uint64
	for range 20 {
		crowd.Go(func() {
			for range 200 {
				lease, err := b.pool.Acquire(b.ctx)
				if err != nil {
					rejected.Add(1)
					continue
				}
				runtime.Gosched()
				lease.Release()
			}
		})
	}
	var over atomic.Bool
	watch.Go(func() {
		for !over.Load() {
			if n := b.waiting(); n > 5 {
				b.violation("%d wait", n)
			}
		}
	})
	crowd.Wait()
	over.Store(true)
	watch.Wait()
	require.NotZero(t, rejected.Load())
	if hasStats {
		require.Equal(t, rejected.Load(), b.pool.Stats().Rejected)
	}
}

//poolgen:if hasLimits
func TestWAI07AWaiterWhoLeavesAFullQueueMakesRoomForOne(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, MaxWaiters: 3}, func(t *testing.T, b *backend) {
		b.acquire()
		b.request(b.ctx)
		ctx, cancel := context.WithCancel(b.ctx)
		leaver := b.request(ctx)
		b.request(b.ctx)
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolExhausted)
		cancel()
		leaver.failed()
		b.request(b.ctx).waits()
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolExhausted)
	})
}

//poolgen:if hasTimeout
func TestWAI08TheEarlierOfAcquireTimeoutAndDeadlineEndsAWaitAndTheErrorSaysWhich(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, AcquireTimeout: 2 * time.Second}, func(t *testing.T, b *backend) {
		b.acquire()
		for _, patience := range []time.Duration{time.Second, 5 * time.Second, time.Hour} {
			cause := errors.New("the user is impatient")
			ctx, cancel := context.WithTimeoutCause(b.ctx, patience, cause)
			defer cancel()
			r := b.request(ctx).wait()
			require.ErrorIs(t, r.failed(), context.DeadlineExceeded)
			require.Equal(t, min(patience, 2*time.Second), r.took)
			if patience < 2*time.Second {
				require.ErrorIs(t, r.err, cause)
				require.NotContains(t, r.err.Error(), "AcquireTimeout")
			} else {
				require.NotErrorIs(t, r.err, cause)
				require.ErrorContains(t, r.err, "AcquireTimeout")
				require.NoError(t, ctx.Err(), "nor has the requester's own context ended")
			}
		}
	})
}

//poolgen:if hasTimeout
func TestWAI09AcquireTimeoutBoundsWaitingAndCreatingTogether(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, AcquireTimeout: time.Second}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.creating(take(600 * time.Millisecond))
		r := b.request(b.ctx)
		time.Sleep(600 * time.Millisecond)
		h.Discard()
		r.wait()
		require.ErrorContains(t, r.failed(), "AcquireTimeout")
		require.Equal(t, time.Second, r.took)
	})
}

//poolgen:if hasTimeout && hasNeeds
func TestWAI09AcquireTimeoutBoundsWaitingCheckingAndCreatingTogether(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, AcquireTimeout: time.Second}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.allDue()
		b.checking(take(400 * time.Millisecond).then(fail(errDirty)))
		b.creating(take(400 * time.Millisecond))
		r := b.request(b.ctx)
		time.Sleep(400 * time.Millisecond)
		b.release(h)
		r.wait()
		require.ErrorContains(t, r.failed(), "AcquireTimeout")
		require.Equal(t, time.Second, r.took)
	})
}

//poolgen:if hasTry
func TestWAI10TryAcquireFailsAtOnceIfAllPlacesAreTaken(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.acquireAll(2)
		b.request(b.ctx).waits()
		r := b.start(b.ctx, b.pool.TryAcquire)
		require.ErrorIs(t, r.failed(), ErrPoolExhausted)
		require.Zero(t, r.took)
		require.Equal(t, 1, b.waiting())
	})
}

func TestWAI11WaitersWhoseContextEndsInTheInstantOfTheReleaseAreSkipped(t *testing.T) {
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

func TestWAI12AThousandWaitersReturnAtTheirCommonDeadline(t *testing.T) {
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
		require.Zero(t, b.waiting())
	})
}

func TestWAI13SoManyReleasesWakeSoManyWaiters(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		held := b.acquireAll(5)
		all := b.requests(20)
		for _, h := range held[:3] {
			h.Release()
		}
		synctest.Wait()
		for _, r := range all[:3] {
			r.served()
		}
		for _, r := range all[3:] {
			r.waits()
		}
		require.Equal(t, 17, b.waiting())
	})
}

func TestWAI14OneGoroutineDoesNotKeepTheConnectionFromAnother(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 1})
	defer b.finish(b.rest)
	for range 200 {
		var served atomic.Bool
		h := b.acquire()
		var all sync.WaitGroup
		all.Go(func() {
			h := b.acquire()
			served.Store(true)
			h.Release()
		})
		for b.waiting() == 0 {
			runtime.Gosched()
		}
		h.Release()
		h = b.acquire() // in a loop, so to say
		if !served.Load() {
			b.violation("a waiter was not served at the first release")
		}
		h.Release()
		all.Wait()
	}
}

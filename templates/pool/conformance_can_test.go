package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCAN01ARequesterWhoseContextHasEndedFailsEvenIfAConnectionIsIdle(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		cause := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(cause)
		refused := func() {
			_, err := b.pool.Acquire(ctx)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cause)
			var op *PoolError
			require.ErrorAs(t, err, &op)
			require.Equal(t, "acquire", op.Op)
		}
		refused()
		b.created(0)
		b.stock(1)
		refused()
		if hasStats {
			require.EqualValues(t, 1, b.pool.Stats().Acquired)
			require.EqualValues(t, 2, b.pool.Stats().Canceled)
		}
	})
}

//poolgen:if observesAcquireFailed
func TestCAN01TheObserverIsToldOfARequesterWhoseContextHasEnded(t *testing.T) {
	var failures []error
	o := quiet()
	o.acquireFailed = func(err error) { failures = append(failures, err) }
	virtual(t, PoolOptions{MaxSize: 1, Observer: o}, func(t *testing.T, b *backend) {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		_, err := b.pool.Acquire(ctx)
		require.Equal(t, []error{err}, failures)
	})
}

func TestCAN02ACancelledWaiterReturnsAtOnceAndTheQueueIsUnharmed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		cause := errors.New("the user left")
		ctx, cancel := context.WithCancelCause(b.ctx)
		first, second, third := b.request(b.ctx), b.request(ctx), b.request(b.ctx)
		time.Sleep(time.Second)
		cancel(cause)
		require.ErrorIs(t, second.failed(), context.Canceled)
		require.ErrorIs(t, second.failed(), cause)
		require.Equal(t, time.Second, second.took)
		b.release(h)
		b.release(first.served())
		third.served()
	})
}

func TestCAN03ADeafCreateDoesNotHoldItsRequesterPastTheDeadline(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		b.creating(deaf(time.Hour))
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		defer cancel()
		r := b.request(ctx).wait()
		require.ErrorIs(t, r.err, context.DeadlineExceeded)
		require.Equal(t, 5*time.Second, r.took)
	})
}

// That is, if it comes before the create timeout; a later one is closed, see CRE-12.
func TestCAN04ADeafCreateThatItsRequesterHasLeftStillFillsThePool(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		b.creating(deaf(7 * time.Second))
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		defer cancel()
		b.request(ctx).wait().failed()
		time.Sleep(3 * time.Second)
		b.acquire()
		b.created(1)
	})
}

func TestCAN05AfterAStormOfCancelsAllPlacesCanBeLeased(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 5})
	defer b.finish(b.rest) // which sees to it
	b.creating(func(ctx context.Context, c *Conn) error { return take(rand.N(300*time.Microsecond))(ctx, c) })
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			for range 100 {
				ctx, cancel := context.WithTimeout(b.ctx, rand.N(300*time.Microsecond))
				if lease, err := b.pool.Acquire(ctx); err == nil {
					if h := b.hold(lease); rand.IntN(10) == 0 {
						h.Discard()
					} else {
						h.Release()
					}
				}
				cancel()
			}
		})
	}
	all.Wait()
}

func TestCAN06AReleaseAndACancelInTheSameInstantLeaveOneOwner(t *testing.T) {
	for i := range 200 {
		virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
			h := b.acquire()
			ctx, cancel := context.WithCancel(b.ctx)
			defer cancel()
			first, second := b.request(ctx), b.request(b.ctx)
			if i%2 == 0 {
				time.AfterFunc(time.Second, cancel)
			}
			time.AfterFunc(time.Second, h.Release)
			if i%2 == 1 {
				time.AfterFunc(time.Second, cancel)
			}
			if first.wait(); first.err == nil {
				second.waits()
				b.release(first.held)
			}
			second.served()
			require.Equal(t, time.Second, second.took)
		})
	}
}

func TestCAN06ACreateAndACancelInTheSameInstantLeaveOneOwner(t *testing.T) {
	for range 200 {
		virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
			b.creating(take(time.Second))
			ctx, cancel := context.WithTimeout(b.ctx, time.Second)
			defer cancel()
			first, second := b.request(ctx), b.request(b.ctx)
			if first.wait(); first.err == nil {
				second.waits()
				b.release(first.held)
			}
			second.served()
			require.Equal(t, time.Second, second.took)
			b.created(1)
		})
	}
}

// An inserter goes on without making way, so the waiter finds a connection and the end of its context.
//
//poolgen:if hasInsert
func TestCAN06AnInsertAndACancelInTheSameInstantLeaveOneOwner(t *testing.T) {
	for range 50 {
		virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
			b.creating(take(time.Second))
			ctx, cancel := context.WithCancel(b.ctx)
			r := b.request(ctx)
			inserted := b.connect(b.ctx, nil)
			require.NoError(t, b.pool.Insert(inserted))
			cancel()
			if r.over(); r.err == nil {
				require.Same(t, inserted, r.held.Conn())
				b.release(r.held)
			}
			next := b.request(b.ctx)
			next.served()
			require.Zero(t, next.took)
		})
	}
}

// The connection stays in the pool if it passes, else it is closed.
//
//poolgen:if hasNeeds
func TestCAN07ARequesterLeavesACheckAtItsDeadlineAndTheConnectionIsNotLost(t *testing.T) {
	for name, slow := range map[string]script{"heeding its context": take(time.Second), "deaf": deaf(time.Second)} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1, HealthCheckTimeout: 3 * time.Second}, func(t *testing.T, b *backend) {
				b.stock(1)
				b.allDue()
				leave := func() {
					cause := errors.New("the user left")
					ctx, cancel := context.WithTimeoutCause(b.ctx, 100*time.Millisecond, cause)
					defer cancel()
					r := b.request(ctx).wait()
					require.Equal(t, 100*time.Millisecond, r.took)
					require.ErrorIs(t, r.failed(), context.DeadlineExceeded)
					require.ErrorIs(t, r.failed(), cause)
					if hasStats {
						b.expect(1, "checking", func(s PoolStats) int { return s.Checking })
					}
					time.Sleep(2 * time.Second)
				}
				b.checking(slow)
				leave()
				b.created(1)
				b.checking(slow.then(fail(errDirty)))
				leave()
				b.checking(succeed)
				b.acquire()
				b.created(2)
				if hasStats {
					require.EqualValues(t, 1, b.pool.Stats().RetiredUnhealthy)
				}
			})
		})
	}
}

func TestCAN08CreatesDoNotPileUpWhenRequestersGiveUp(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.creating(deaf(9 * time.Second))
		for range 10 {
			ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
			var all []*request
			for range 10 {
				all = append(all, b.launch(ctx, b.pool.Acquire, nil))
			}
			for _, r := range all {
				r.wait().failed()
			}
			cancel()
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		require.LessOrEqual(t, b.creates, 3)
	})
}

func TestCAN09ACancelDoesNotTouchACreateThatServesAnother(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.creating(take(2 * time.Second))
		ctx, cancel := context.WithCancel(b.ctx)
		first := b.request(ctx) // for which the create begins
		b.release(h)
		first.served()
		second := b.request(b.ctx) // which gets what comes of it
		time.Sleep(time.Second)
		cancel()
		require.NoError(t, second.wait().err)
		require.Equal(t, 2*time.Second, second.took)
		b.created(2)
	})
}

func TestCAN10ALeaseOutlivesTheContextItWasAcquiredWith(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		ctx, cancel := context.WithCancel(b.ctx)
		h := b.request(ctx).served()
		cancel()
		synctest.Wait()
		if hasStats {
			require.Equal(t, 1, b.pool.Stats().InUse)
		}
		b.release(h)
		require.Same(t, h.Conn(), b.acquire().Conn())
		b.created(1)
	})
}

// timedOut returns the error of a requester with a deadline of three seconds.
//
//poolgen:if hasStats
func (b *backend) timedOut() error {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 3*time.Second)
	defer cancel()
	r := b.request(ctx).wait()
	require.ErrorIs(b, r.failed(), context.DeadlineExceeded)
	return r.err
}

//poolgen:if hasStats
func TestCAN11ATimeoutSaysHowLongAndForWhat(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, CreateTimeout: time.Hour}, func(t *testing.T, b *backend) {
		b.acquireAll(2)
		b.creating(take(time.Hour))
		b.requests(2)
		err := b.timedOut()
		for _, fact := range []string{"acquire", "waited 3s", "of 3 places", "2 are in use", "1 being filled", "0 otherwise busy", "2 others wait"} {
			require.ErrorContains(t, err, fact)
		}
	})
}

//poolgen:if hasNeeds && hasStats
func TestCAN11ATimeoutDuringACheckSaysSo(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, HealthCheckTimeout: time.Hour}, func(t *testing.T, b *backend) {
		b.stock(1)
		b.allDue()
		b.checking(take(time.Hour))
		require.ErrorContains(t, b.timedOut(), "1 otherwise busy")
	})
}

//poolgen:if hasStats
func TestCAN11ATimeoutNamesTheLatestFailure(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateTimeout: time.Hour}, func(t *testing.T, b *backend) {
		b.creating(inTurn(fail(errRefused), take(time.Hour)))
		b.request(b.ctx).failed()
		require.ErrorContains(t, b.timedOut(), errRefused.Error())
	})
}

// TestCAN12EveryHookMisbehavesAtEveryMoment goes through the combinations of what hooks can do, with a
// requester that gives up at each of several moments.
//
//poolgen:if hasNeeds && hasClose && resetsAway
func TestCAN12EveryHookMisbehavesAtEveryMoment(t *testing.T) {
	scripts := []script{succeed, fail(errRefused), take(300 * time.Millisecond), take(time.Hour), deaf(time.Hour), panicking("oh no"), exit}
	if testing.Short() {
		scripts = scripts[:5]
	}
	for _, create := range scripts {
		for _, check := range scripts {
			for _, closing := range scripts {
				for _, patience := range []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, 20 * time.Second} {
					virtual(t, PoolOptions{MaxSize: 2, CreateTimeout: time.Second}, func(t *testing.T, b *backend) {
						b.stock(1)
						b.allDue()
						b.creating(create)
						b.checking(check)
						b.resetting(unlessHere(check))
						b.closing(closing)
						ctx, cancel := context.WithTimeout(b.ctx, patience)
						defer cancel()
						b.launch(ctx, b.pool.Acquire, (*held).Release)
						b.launch(ctx, b.pool.Acquire, (*held).Discard)
						b.launch(ctx, b.pool.Acquire, (*held).Release)
						last := b.launch(ctx, b.pool.Acquire, (*held).Release).wait()
						require.LessOrEqual(t, last.took, patience)
					})
				}
			}
		}
	}
}

func TestCAN13DeadlinesShorterThanACreateStillMakeProgress(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		tries := 0
		for served := false; !served && tries < 10; tries++ {
			ctx, cancel := context.WithTimeout(b.ctx, 300*time.Millisecond)
			served = b.request(ctx).wait().err == nil
			cancel()
		}
		require.Equal(t, 4, tries)
	})
}

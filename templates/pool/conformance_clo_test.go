package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// drainLater drains the pool in another goroutine.
//
//poolgen:if hasDrain
func (b *backend) drainLater(ctx context.Context) <-chan error {
	drained := make(chan error, 1)
	go func() { drained <- b.pool.Drain(ctx) }()
	synctest.Wait()
	return drained
}

func TestCLO01AfterCloseRequestersFailAtOnce(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.stocked(1)
		require.NoError(t, b.closePool(time.Second))
		acquires := []func(context.Context) (Lease, error){b.pool.Acquire}
		acquires = append(acquires, b.pool.TryAcquire)      //poolgen:if hasTry
		acquires = append(acquires, b.pool.AcquireOrCreate) //poolgen:if hasOutside
		for _, acquire := range acquires {
			r := b.start(b.ctx, acquire)
			require.ErrorIs(t, r.failed(), ErrPoolClosed)
			require.Zero(t, r.took)
		}
		b.created(1)
	})
}

func TestCLO02CloseFailsAllWaitersAtOnce(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		all := b.requests(50)
		closed := b.closeLater(b.ctx)
		for _, r := range all {
			require.ErrorIs(t, r.failed(), ErrPoolClosed)
			require.Zero(t, r.took)
		}
		require.Empty(t, closed, "it waits for the leases")
		b.release(held...)
		require.NoError(t, <-closed)
	})
}

// Both a requester whose create is under way and one whose connection is under check wait, too.
//
//poolgen:if hasCheck
func TestCLO02CloseFailsThoseForWhomAJobIsUnderWay(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.stocked(1)
		b.allDue()
		b.checking(deaf(900 * time.Millisecond))
		b.creating(deaf(5 * time.Second))
		checking, creating := b.request(b.ctx), b.request(b.ctx)
		closed := b.closeLater(b.ctx)
		for _, r := range []*request{checking, creating} {
			require.ErrorIs(t, r.failed(), ErrPoolClosed)
			require.Zero(t, r.took)
		}
		require.NoError(t, <-closed)
	})
}

//poolgen:if hasOutside
func TestCLO02CloseFailsThoseWhoseConnectionOutsideThePoolIsBeingCreated(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		held := b.acquire()
		b.creating(take(5 * time.Second))
		outside := b.start(b.ctx, b.pool.AcquireOrCreate)
		closed := b.closeLater(b.ctx)
		require.ErrorIs(t, outside.failed(), ErrPoolClosed)
		require.Zero(t, outside.took)
		b.release(held)
		require.NoError(t, <-closed)
	})
}

//poolgen:if hasClose
func TestCLO03CloseClosesEveryIdleConnectionOnce(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		conns := b.stocked(50)
		require.NoError(t, b.closePool(time.Second))
		b.left(0)
		require.NoError(t, b.closePool(time.Second))
		for _, c := range conns {
			require.Equal(t, 1, b.closed(c))
		}
	})
}

//poolgen:if hasClose
func TestCLO04AConnectionReleasedAfterCloseIsClosed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		closed := b.closeLater(b.ctx)
		b.left(2)
		b.release(held[0])
		require.Equal(t, 1, b.closed(held[0].Conn()))
		require.Empty(t, closed)
		b.release(held[1])
		require.Equal(t, 1, b.closed(held[1].Conn()))
		require.NoError(t, <-closed)
	})
}

func TestCLO05CloseTwiceConcurrentlyAndFromHooksDoesNotDeadlock(t *testing.T) {
	for begun := time.Now(); time.Since(begun) < 300*time.Millisecond; {
		b := newBackend(t, PoolOptions{MaxSize: 4})
		again := func(context.Context, *Conn) error {
			if rand.IntN(20) == 0 { // without patience: a hook can't wait for itself
				ctx, cancel := context.WithCancel(b.ctx)
				cancel()
				_ = b.pool.Close(ctx)
			}
			return nil
		}
		b.creating(again)
		b.closing(func(context.Context, *Conn) error { _ = b.closePool(0); return nil })
		b.resetting(again)
		b.breaking(func(c *Conn) bool { return again(b.ctx, c) != nil })
		b.needing(func(c *Conn) bool { return again(b.ctx, c) == nil })
		b.checking(again)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for i := 0; ; i++ {
					lease, err := b.pool.Acquire(b.ctx)
					if err != nil {
						require.ErrorIs(t, err, ErrPoolClosed)
						return
					}
					lease.Release()
				}
			})
		}
		for range 3 {
			all.Go(func() {
				for range 2 {
					if err := b.closePool(10 * time.Second); err != nil {
						b.violation("Close hangs: %v", err)
					}
				}
			})
		}
		all.Wait()
		b.finish(b.rest)
	}
}

func TestCLO06CloseReturnsWithItsContextAndSaysHowManyLeasesAreOut(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		held := b.acquireAll(4)
		b.release(held[3])
		begun := time.Now()
		err := b.closePool(time.Second)
		require.Equal(t, time.Second, time.Since(begun))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "3 are in use") //poolgen:if hasStats
		b.release(held[:3]...)
		require.NoError(t, b.closePool(0))
	})
}

//poolgen:if hasClose
func TestCLO07CloseWhileCreatesAreUnderWayClosesWhatComesLate(t *testing.T) {
	for name, slow := range map[string]script{
		"heeding its context": take(3 * time.Second),
		"deaf":                deaf(3 * time.Second),
		"later than it may":   deaf(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
				b.creating(slow)
				all := b.requests(5)
				begun := time.Now()
				closed := b.closeLater(b.ctx)
				for _, r := range all {
					require.ErrorIs(t, r.failed(), ErrPoolClosed)
				}
				require.NoError(t, <-closed)
				require.Less(t, time.Since(begun), 11*time.Second, "the create timeout")
				time.Sleep(2 * time.Hour)
				b.left(0)
				for c := range b.conns {
					require.Equal(t, 1, b.closed(c))
				}
			})
		})
	}
}

// What Close hooks return is not Close's error: they run on, and report, after Close's context has ended.
//
//poolgen:if hasClose && hasStats
func TestCLO08TheErrorOfACloseHookIsInTheStatistics(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.stocked(2)
		b.closing(fail(errDirty))
		require.NoError(t, b.closePool(time.Second))
		require.ErrorIs(t, b.pool.Stats().LastError, errDirty)      //poolgen:if hasStats
		require.ErrorContains(t, b.pool.Stats().LastError, "close") //poolgen:if hasStats
	})
}

//poolgen:if hasClose
func TestCLO09ACloseHookThatHangsOrPanicsHoldsUpNoOther(t *testing.T) {
	for name, bad := range map[string]script{
		"hangs":  take(time.Hour),
		"deaf":   deaf(time.Hour),
		"panics": panicking("oh no"),
		"exits":  exit,
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
				b.stocked(5)
				b.closing(inTurn(succeed, bad, succeed))
				begun := time.Now()
				err := b.closePool(100 * time.Millisecond)
				if name == "hangs" || name == "deaf" {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.Equal(t, 100*time.Millisecond, time.Since(begun))
					b.left(1)
				}
				require.NoError(t, b.pool.Close(b.ctx), "it is given up")
				require.Less(t, time.Since(begun), 2*time.Second)
			})
		})
	}
}

// A goroutine that were left would keep the bubble from ending.
func TestCLO10AfterCloseThereIsNoGoroutineAndNoTimer(t *testing.T) {
	options := PoolOptions{MaxSize: 4}
	options.MinIdle, options.IdleTimeout = 2, time.Minute //poolgen:if hasIdle
	options.MaxLifetime = time.Hour                       //poolgen:if hasLifetime
	options.HealthCheckPeriod = time.Second               //poolgen:if hasBackground
	options.LeakThreshold = time.Minute                   //poolgen:if hasLeaks
	options.BreakAfter = 2                                //poolgen:if hasBreaker
	options.CreateRetries = 3                             //poolgen:if hasRetry
	virtual(t, options, func(t *testing.T, b *backend) {
		b.release(b.acquireAll(4)...)
		leases := b.acquireAll(2)
		b.creating(fail(errRefused))
		for range 5 {
			b.launch(b.ctx, b.pool.Acquire, (*held).Release)
		}
		time.Sleep(10*time.Minute + 10*time.Millisecond) // between two ticks of the upkeep: at the last one, it would end by itself
		closed := b.closeLater(b.ctx)
		b.still()
		time.Sleep(10 * time.Minute)
		b.release(leases...)
		require.NoError(t, <-closed)
		b.still()
	})
}

// still requires that no timer of the pool runs.
func (b *backend) still() {
	b.Helper()
	synctest.Wait()
	require.False(b, b.pool.timer.Stop(), "the timer of the queue")   //poolgen:if hasDemand || hasBreaker
	require.False(b, b.pool.ticker.Stop(), "the timer of the upkeep") //poolgen:if hasUpkeep
}

//poolgen:if hasLifetime
func TestCLO10AConnectionThatComesAfterCloseStartsNoTimer(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4, MaxLifetime: time.Hour}, func(t *testing.T, b *backend) {
		time.Sleep(3 * time.Hour) // with nothing to look after, the upkeep rests
		b.creating(deaf(time.Second))
		b.request(b.ctx)
		require.NoError(t, b.closePool(time.Minute))
		b.still()
	})
}

//poolgen:if hasUpkeep && hasDrain
func TestCLO10AfterDrainThereIsNoTimer(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
		h := b.acquire()
		drained := b.drainLater(b.ctx)
		b.release(h)
		require.NoError(t, <-drained)
		b.still()
	})
}

// churn is what one worker of a stress does, until the pool is closed.
func (b *backend) churn() {
	for {
		ctx, cancel := context.WithTimeout(b.ctx, rand.N(5*time.Millisecond))
		lease, err := b.pool.Acquire(ctx)
		cancel()
		if errors.Is(err, ErrPoolClosed) {
			return
		} else if err != nil {
			continue
		}
		h := b.hold(lease)
		if rand.IntN(10) == 0 {
			time.Sleep(rand.N(time.Millisecond))
		}
		if rand.IntN(10) == 0 {
			h.Discard()
		} else {
			h.Release()
		}
	}
}

// every calls f every now and then, until the pool is closed.
func (b *backend) every(pause time.Duration, f func() error) {
	for {
		if err := f(); errors.Is(err, ErrPoolClosed) {
			return
		} else if err != nil {
			b.violation("%v", err)
		}
		select {
		case <-b.pool.drained.Done():
			return
		case <-time.After(pause):
		}
	}
}

func TestCLO11CloseAmidstTrafficAndChangesReturnsPromptly(t *testing.T) {
	const most = 12
	options := PoolOptions{MaxSize: most, HealthCheckTimeout: time.Minute}
	options.IdleTimeout, options.MinIdle = 10*time.Millisecond, 2 //poolgen:if hasIdle
	options.MaxLifetime = 20 * time.Millisecond                   //poolgen:if hasLifetime
	options.HealthCheckPeriod = 3 * time.Millisecond              //poolgen:if hasBackground
	for begun := time.Now(); time.Since(begun) < 300*time.Millisecond; {
		b := newBackend(t, options)
		b.overflows = true // while it shrinks
		b.needing(func(*Conn) bool { return rand.IntN(3) == 0 })
		var all sync.WaitGroup
		for range 24 {
			all.Go(b.churn)
		}
		all.Go(func() { b.every(time.Millisecond, func() error { return b.pool.Resize(1 + rand.IntN(most)) }) }) //poolgen:if hasResize
		all.Go(func() { b.every(2*time.Millisecond, func() error { b.pool.Reset(); return nil }) })              //poolgen:if hasReset
		all.Go(func() {                                                                                          //poolgen:if hasRetain
			b.every(time.Millisecond, func() error {
				b.pool.Retain(func(*Conn) bool { return rand.IntN(3) > 0 })
				return nil
			})
		})
		time.Sleep(15 * time.Millisecond)
		closing := time.Now()
		require.NoError(t, b.closePool(10*time.Second))
		require.Less(t, time.Since(closing), 2*time.Second)
		all.Wait()
		b.finish(b.rest)
		_, peak := b.tally()
		require.LessOrEqual(t, peak, most)
	}
}

//poolgen:if hasDrain
func TestCLO12DrainRejectsNewRequestersLetsLeasesFinishAndCloses(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(3)
		b.release(held[2])
		drained := b.drainLater(b.ctx)
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolClosed)
		time.Sleep(time.Hour)
		require.Zero(t, b.closed(held[0].Conn()))
		b.release(held[0])
		require.Empty(t, drained)
		b.release(held[1])
		require.NoError(t, <-drained)
		b.left(0)
		b.created(3)
	})
}

//poolgen:if hasDrain
func TestCLO12DrainServesThoseWhoWaitAlready(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		all := b.requests(3)
		drained := b.drainLater(b.ctx)
		for _, r := range all {
			b.release(h)
			require.Empty(t, drained)
			h = r.served()
		}
		b.release(h)
		require.NoError(t, <-drained)
	})
}

//poolgen:if hasDrain
func TestCLO12DrainReturnsWithItsContextAndSaysHowManyLeasesAreOut(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		begun := time.Now()
		err := b.pool.Drain(ctx)
		require.Equal(t, time.Second, time.Since(begun))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "drain")
		require.ErrorContains(t, err, "2 are in use") //poolgen:if hasStats
		b.release(held...)
		b.left(0)
		require.NoError(t, b.closePool(0), "it went on draining")
	})
}

//poolgen:if hasDrain
func TestCLO12DrainOfAPoolWithoutLeasesClosesItNow(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.stocked(3)
		begun := time.Now()
		require.NoError(t, b.pool.Drain(b.ctx))
		require.Zero(t, time.Since(begun))
		b.left(0)
		require.NoError(t, b.pool.Drain(b.ctx), "once more")
	})
}

//poolgen:if hasDrain
func TestCLO12CloseCutsADrainShort(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		waiter := b.request(b.ctx)
		drained := b.drainLater(b.ctx)
		waiter.waits()
		closed := b.closeLater(b.ctx)
		require.ErrorIs(t, waiter.failed(), ErrPoolClosed)
		b.release(h)
		require.NoError(t, <-closed)
		require.NoError(t, <-drained)
	})
}

//poolgen:if hasDrain && hasCheck
func TestCLO12ADrainingPoolReplacesWhatAWaiterNeeds(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.stocked(1)
		b.kill()
		b.allDue()
		b.checking(take(100 * time.Millisecond))
		r := b.request(b.ctx) // before the drain; its connection fails the check during it
		drained := b.drainLater(b.ctx)
		b.release(r.wait().served())
		require.NoError(t, <-drained)
		b.created(2)
	})
}

//poolgen:if hasDrain && hasIdle
func TestCLO12ADrainingPoolKeepsNoMinimum(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4, MinIdle: 2}, func(t *testing.T, b *backend) {
		h := b.acquire()
		time.Sleep(5 * time.Second)
		b.expect(2, "idle", idle) //poolgen:if hasStats
		drained := b.drainLater(b.ctx)
		b.pool.Reset() //poolgen:if hasReset
		time.Sleep(time.Hour)
		b.created(3)
		b.release(h)
		require.NoError(t, <-drained)
	})
}

//poolgen:if hasDrain
func TestCLO12AReleaseThatMeetsTheDrainIsNotMissed(t *testing.T) {
	for begun := time.Now(); time.Since(begun) < 300*time.Millisecond; {
		b := newBackend(t, PoolOptions{MaxSize: 4})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for {
					lease, err := b.pool.Acquire(b.ctx)
					if err != nil {
						return
					}
					lease.Release()
				}
			})
		}
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
		require.NoError(t, b.pool.Drain(ctx))
		cancel()
		all.Wait()
		b.finish(b.rest)
	}
}

//poolgen:if hasClose
func TestCLO13ACloseHookRunsOutsideOfThePoolsLock(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		b.release(held[0])
		b.closing(take(900 * time.Millisecond))
		closed := b.closeLater(b.ctx)
		begun := time.Now()
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolClosed)
		b.expect(1, "being closed", func(s PoolStats) int { return s.Closing }) //poolgen:if hasStats
		b.release(held[1])
		require.Zero(t, time.Since(begun))
		require.NoError(t, <-closed)
		require.Equal(t, 900*time.Millisecond, time.Since(begun), "both at the same time")
	})
}

func TestCLO14AClosedPoolIsNotReopenedButMayBeFollowedByAnother(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.stocked(2)
		require.NoError(t, b.closePool(time.Second))
		require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolClosed)
		require.ErrorIs(t, b.pool.Warm(b.ctx, 1, nil), ErrPoolClosed)                                //poolgen:if hasWarm
		require.ErrorIs(t, b.pool.Resize(3), ErrPoolClosed)                                          //poolgen:if hasResize
		require.ErrorIs(t, b.pool.Insert(b.made()), ErrPoolClosed)                                   //poolgen:if hasInsert
		require.ErrorIs(t, b.pool.With(b.ctx, func(*Conn) error { panic("called") }), ErrPoolClosed) //poolgen:if hasWith
		b.pool.Reset()                                                                               //poolgen:if hasReset
		b.pool.Retain(func(*Conn) bool { panic("called") })                                          //poolgen:if hasRetain
		require.NoError(t, b.pool.Drain(b.ctx))                                                      //poolgen:if hasDrain
		b.left(0)

		next := newBackend(t, PoolOptions{MaxSize: 2})
		defer next.finish(synctest.Wait)
		next.acquire()
	})
}

// moments are what a pool with an idle, a leased and a wanted connection may be about when it is shut down. What
// they return is called after that.
var moments = map[string]func(b *backend) (after func()){
	"nothing":   func(*backend) func() { return func() {} },
	"acquiring": func(b *backend) func() { b.acquireSome(); return b.acquireSome },
	"creating": func(b *backend) func() {
		b.creating(take(300 * time.Millisecond))
		b.acquireSome()
		return b.acquireSome
	},
	"creating deafly": func(b *backend) func() {
		b.creating(deaf(20 * time.Second))
		b.acquireSome()
		return b.acquireSome
	},
	"failing to create": func(b *backend) func() {
		b.creating(take(300 * time.Millisecond).then(fail(errRefused)))
		b.acquireSome()
		return b.acquireSome
	},
	"checking": func(b *backend) func() {
		b.allDue()
		b.checking(take(300 * time.Millisecond))
		b.acquireSome()
		return b.acquireSome
	},
	"failing its check": func(b *backend) func() {
		b.allDue()
		b.kill()
		b.checking(take(300 * time.Millisecond))
		b.acquireSome()
		return b.acquireSome
	},
	"resetting connections": func(b *backend) func() {
		b.resetting(unlessHere(take(300 * time.Millisecond)))
		b.launch(b.ctx, b.pool.Acquire, (*held).Release)
		b.acquireSome()
		return b.acquireSome
	},
	"closing connections": func(b *backend) func() {
		b.closing(deaf(300 * time.Millisecond))
		b.launch(b.ctx, b.pool.Acquire, (*held).Discard)
		return b.acquireSome
	},
	"resizing": func(b *backend) func() { //poolgen:if hasResize
		b.acquireSome()
		_ = b.pool.Resize(1)
		return func() { _ = b.pool.Resize(9) }
	},
	"resetting": func(b *backend) func() { //poolgen:if hasReset
		b.acquireSome()
		b.pool.Reset()
		return b.pool.Reset
	},
	"warming": func(b *backend) func() { //poolgen:if hasWarm
		b.creating(take(300 * time.Millisecond))
		warm := func() { go b.pool.Warm(b.ctx, 4, nil) }
		warm()
		return warm
	},
	"inserting": func(b *backend) func() { //poolgen:if hasInsert
		insert := func() { _ = b.pool.Insert(b.made()) }
		insert()
		return insert
	},
	"sweeping": func(b *backend) func() { //poolgen:if hasRetain
		sweep := func() {
			go b.pool.Retain(func(*Conn) bool { time.Sleep(300 * time.Millisecond); return rand.IntN(2) == 0 })
		}
		sweep()
		return sweep
	},
	"detaching": func(b *backend) func() { //poolgen:if hasDetach
		h := b.acquire()
		return func() { h.Detach() }
	},
	"overflowing": func(b *backend) func() { //poolgen:if hasOutside
		b.creating(take(300 * time.Millisecond))
		b.acquireSome()
		b.launch(b.ctx, b.pool.AcquireOrCreate, (*held).Release)
		return func() { b.launch(b.ctx, b.pool.AcquireOrCreate, (*held).Release) }
	},
}

// acquireSome begins requests, one of which gives up soon, and leases that last for a moment.
func (b *backend) acquireSome() {
	ctx, cancel := context.WithTimeout(b.ctx, 250*time.Millisecond)
	time.AfterFunc(time.Second, cancel)
	for i := range 5 {
		if i == 4 {
			ctx = b.ctx
		}
		b.launch(ctx, b.pool.Acquire, func(h *held) { time.Sleep(time.Duration(i+1) * 100 * time.Millisecond); h.Release() })
	}
}

// ends are the ways to shut a pool down; all lead to its being closed.
var ends = map[string]func(b *backend) error{
	"Close": func(b *backend) error { return b.pool.Close(b.ctx) },
	"Close without patience, then Close": func(b *backend) error {
		_ = b.closePool(0)
		return b.pool.Close(b.ctx)
	},
	"Drain": func(b *backend) error { return b.pool.Drain(b.ctx) }, //poolgen:if hasDrain
	"Drain, then Close": func(b *backend) error { //poolgen:if hasDrain
		ctx, cancel := context.WithTimeout(b.ctx, 50*time.Millisecond)
		defer cancel()
		_ = b.pool.Drain(ctx)
		return b.pool.Close(b.ctx)
	},
	"Close, then Drain": func(b *backend) error { //poolgen:if hasDrain
		_ = b.closePool(0)
		return b.pool.Drain(b.ctx)
	},
}

func TestThePoolMayBeShutDownInAnyOrderWithAllElse(t *testing.T) {
	for what, begin := range moments {
		for how, end := range ends {
			for _, later := range []time.Duration{0, 100 * time.Millisecond, 299 * time.Millisecond, 300 * time.Millisecond} {
				t.Run(fmt.Sprintf("%s, %v later %s", what, later, how), func(t *testing.T) {
					virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
						b.overflows = true
						b.stocked(2)
						time.AfterFunc(400*time.Millisecond, b.acquire().Release)
						after := begin(b)
						time.Sleep(later)
						begun := time.Now()
						ended := make(chan error)
						go func() { ended <- end(b) }()
						synctest.Wait()
						after()
						time.Sleep(350 * time.Millisecond)
						after()
						require.NoError(t, <-ended)
						require.Less(t, time.Since(begun), 15*time.Second)
						time.Sleep(time.Minute)
						require.ErrorIs(t, b.request(b.ctx).failed(), ErrPoolClosed)
						b.left(0)
					})
				})
			}
		}
	}
}

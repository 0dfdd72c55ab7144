package pool

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

//poolgen:if hasStats
func TestSTA01TheNumbersOfPlacesAddUpInEverySnapshot(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 8, HealthCheckTimeout: time.Minute, CreateTimeout: time.Minute})
	b.chaos(10, time.Millisecond)
	var all sync.WaitGroup
	var stop atomic.Bool
	for range 30 {
		all.Go(func() {
			for !stop.Load() && b.user(10*time.Millisecond) {
			}
		})
	}
	for begun := time.Now(); time.Since(begun) < stressTime()/10; {
		b.whole()
	}
	stop.Store(true)
	all.Wait()
	b.finish(b.rest)
}

//poolgen:if hasStats
func TestSTA02LeasesAreCountedWhenTheyBegin(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(3)
		require.EqualValues(t, 3, b.pool.Stats().Acquired)
		b.release(held...)
		require.EqualValues(t, 3, b.pool.Stats().Acquired)
		held = b.acquireAll(2)
		held[0].Discard()
		held[1].Detach()
		b.acquire()
		synctest.Wait()
		require.EqualValues(t, 6, b.pool.Stats().Acquired)
	})
}

//poolgen:if hasStats
func TestSTA02AWaitIsCountedWhereNothingWasIdle(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		h := b.acquire()
		s := b.pool.Stats()
		require.EqualValues(t, 1, s.Waits, "for the create")
		require.Equal(t, time.Second, s.WaitTime)
		for range 5 {
			b.release(h)
			h = b.acquire()
		}
		s = b.pool.Stats()
		require.EqualValues(t, 6, s.Acquired)
		require.EqualValues(t, 1, s.Waits, "nobody has waited since")
		require.Equal(t, time.Second, s.WaitTime)
	})
}

// Warm holds what it has created until it has all of it. Nobody has leased that.
//
//poolgen:if hasStats && hasWarm
func TestSTA02OnlyLeasesAreCounted(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(inTurn(take(time.Second), take(3*time.Second)))
		go b.pool.Warm(b.ctx, 2, nil)
		time.Sleep(2 * time.Second)
		require.Zero(t, b.pool.Stats().Acquired)
		require.Zero(t, b.pool.Stats().InUse)
	})
}

//poolgen:if hasStats
func TestSTA03RequestersWhoseContextEndsAreCounted(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(b *backend)
		before  bool // the context has ended before the request
		waits   int
	}{
		"before it starts":       {func(b *backend) {}, true, 0},
		"during a create":        {func(b *backend) { b.creating(take(time.Minute)) }, false, 1},
		"while it waits":         {func(b *backend) { b.acquire() }, false, 1},
		"during a check":         {func(b *backend) { b.release(b.acquire()); b.allDue(); b.checking(take(time.Minute)) }, false, 1},
		"after the rest":         {func(b *backend) { b.acquire(); b.request(b.ctx) }, false, 1},
		"while a lease is reset": {func(b *backend) { h := b.acquire(); b.resetting(take(time.Minute)); go h.Release() }, false, 1}, //poolgen:if resetsAway
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1, HealthCheckTimeout: time.Hour, CreateTimeout: time.Hour}, func(t *testing.T, b *backend) {
				c.prepare(b)
				synctest.Wait()
				before := b.pool.Stats()
				ctx, cancel := context.WithTimeout(b.ctx, time.Second)
				defer cancel()
				if c.before {
					cancel()
				}
				require.Error(t, b.request(ctx).wait().err)
				s := b.pool.Stats()
				require.EqualValues(t, 1, s.Canceled-before.Canceled)
				require.EqualValues(t, c.waits, s.Waits-before.Waits)
				require.Equal(t, time.Duration(c.waits)*time.Second, s.WaitTime-before.WaitTime)
				require.Equal(t, before.Acquired, s.Acquired)
				require.Equal(t, before.Rejected, s.Rejected)
			})
		})
	}
}

//poolgen:if hasStats
func TestSTA04TheTimeOfWaitsIsExact(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		first, second := b.request(b.ctx), b.request(b.ctx)
		time.Sleep(3 * time.Second)
		b.release(h)
		time.Sleep(4 * time.Second)
		require.Equal(t, 3*time.Second, b.pool.Stats().WaitTime, "of those who wait no longer")
		b.release(first.served())
		time.Sleep(5 * time.Second)
		second.served()
		s := b.pool.Stats()
		require.Equal(t, 10*time.Second, s.WaitTime, "that of leases and of idle connections is none")
		require.EqualValues(t, 3, s.Waits)
	})
}

//poolgen:if hasStats && hasTry && hasOutside
func TestSTA05RejectedCountsThoseWhoGotTheErrorOnly(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.overflows = true
		b.acquire()
		b.start(b.ctx, b.pool.TryAcquire).failed()
		require.EqualValues(t, 1, b.pool.Stats().Rejected)
		b.start(b.ctx, b.pool.AcquireOrCreate).served()
		require.EqualValues(t, 1, b.pool.Stats().Rejected, "that one got a fresh connection")
	})
}

//poolgen:if hasStats && hasLimits
func TestSTA05TimeoutsAndRejectionsAreCountedApart(t *testing.T) {
	options := PoolOptions{MaxSize: 1, MaxWaiters: 2}
	options.AcquireTimeout = time.Second //poolgen:if hasTimeout
	virtual(t, options, func(t *testing.T, b *backend) {
		b.acquire()
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		waiters := []*request{b.request(ctx), b.request(ctx)}
		for range 3 {
			require.ErrorIs(t, b.request(ctx).failed(), ErrPoolExhausted)
		}
		for _, r := range waiters {
			require.ErrorIs(t, r.wait().err, context.DeadlineExceeded)
		}
		s := b.pool.Stats()
		require.EqualValues(t, 3, s.Rejected)
		require.EqualValues(t, 2, s.Canceled)
	})
}

//poolgen:if hasStats && hasDetach && hasLifetime && hasIdle && hasReset && hasResize && hasWarm && hasCheck && hasBroken
func TestSTA06ConnectionsThatWentAreCountedByReason(t *testing.T) {
	for name, c := range map[string]struct {
		count func(PoolStats) uint64
		part  func(b *backend, h *held)
	}{
		"idle":          {func(s PoolStats) uint64 { return s.RetiredIdle }, func(b *backend, h *held) { b.release(h); time.Sleep(11 * time.Minute) }},
		"too old":       {func(s PoolStats) uint64 { return s.RetiredExpired }, func(b *backend, h *held) { time.Sleep(time.Hour); b.release(h) }},
		"failed check":  {func(s PoolStats) uint64 { return s.RetiredUnhealthy }, func(b *backend, h *held) { b.release(h); b.kill(); b.allDue(); b.acquire() }},
		"broken":        {func(s PoolStats) uint64 { return s.RetiredBroken }, func(b *backend, h *held) { b.breaking(func(*Conn) bool { return true }); b.release(h) }},
		"failed reset":  {func(s PoolStats) uint64 { return s.RetiredBroken }, func(b *backend, h *held) { b.resetting(fail(errDirty)); b.release(h) }},
		"discarded":     {func(s PoolStats) uint64 { return s.RetiredDiscarded }, func(_ *backend, h *held) { h.Discard() }},
		"too many idle": {func(s PoolStats) uint64 { return s.RetiredSurplus }, func(b *backend, h *held) { b.release(b.acquire(), h); time.Sleep(2 * time.Second) }},
		"shrunk":        {func(s PoolStats) uint64 { return s.RetiredSurplus }, func(b *backend, h *held) { other := b.acquire(); b.pool.Resize(1); b.release(h, other) }},
		"reset":         {func(s PoolStats) uint64 { return s.RetiredReset }, func(b *backend, h *held) { b.pool.Reset(); b.release(h) }},
		"closed":        {func(s PoolStats) uint64 { return s.RetiredUnwanted }, func(b *backend, h *held) { b.closePool(0); b.release(h) }},
		"detached":      {func(s PoolStats) uint64 { return s.Detached }, func(_ *backend, h *held) { h.Detach() }},
	} {
		t.Run(name, func(t *testing.T) {
			options := PoolOptions{MaxSize: 2, MaxIdle: 1, MaxLifetime: time.Hour, IdleTimeout: 8 * time.Minute}
			virtual(t, options, func(t *testing.T, b *backend) {
				b.overflows = true // Resize
				h := b.acquire()
				c.part(b, h)
				synctest.Wait()
				s := b.pool.Stats()
				require.EqualValues(t, 1, c.count(s), "%+v", s)
				gone := s.RetiredIdle + s.RetiredExpired + s.RetiredUnhealthy + s.RetiredBroken + s.RetiredDiscarded +
					s.RetiredSurplus + s.RetiredReset + s.RetiredUnwanted + s.RetiredLost + s.Detached
				require.EqualValues(t, 1, gone, "%+v", s)
			})
		})
	}
}

//poolgen:if hasStats
func TestSTA07CreatesAndTheirFailuresAreCounted(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
		b.creating(inTurn(succeed, fail(errRefused), panicking("oh no"), succeed))
		for range 4 {
			b.request(b.ctx)
		}
		s := b.pool.Stats()
		require.EqualValues(t, 2, s.Created)
		require.EqualValues(t, 2, s.CreateFailures)
	})
}

//poolgen:if observesCreated
func TestSTA07TheObserverIsToldHowLongEachCreateTook(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend, d *diary) {
		b.creating(inTurn(take(time.Second), take(3*time.Second)))
		b.acquire()
		b.acquire()
		require.Equal(t, []time.Duration{time.Second, 3 * time.Second}, d.took)
	})
}

//poolgen:if hasHolds
func TestSTA08TheTimeOfLeasesIsRecorded(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		for _, use := range []time.Duration{0, time.Millisecond, time.Second, time.Second} {
			h := b.acquire()
			time.Sleep(use)
			b.release(h)
			time.Sleep(time.Hour)
		}
		require.Equal(t, Histogram{0: 1, 10: 1, 20: 2}, b.pool.Stats().HoldTimes)
	})
}

//poolgen:if hasStats
func TestSTA09StatsDoNotAllocate(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 100})
	defer b.finish(b.rest)
	require.Zero(t, testing.AllocsPerRun(100, func() { b.pool.Stats() }))
}

//poolgen:if hasStats
func TestSTA09StatsMayBeReadWhileThePoolCloses(t *testing.T) {
	for range 20 {
		b := newBackend(t, PoolOptions{MaxSize: 16})
		held := b.acquireAll(16)
		var all sync.WaitGroup
		var stop atomic.Bool
		for range 2 {
			all.Go(func() {
				for !stop.Load() {
					b.whole()
				}
			})
		}
		all.Go(func() {
			for _, h := range held {
				h.Release()
			}
		})
		require.NoError(t, b.closePool(10*time.Second))
		stop.Store(true)
		all.Wait()
		b.finish(b.rest)
	}
}

// A hook that hangs has the pool's lock no more than its user's lease.
//
//poolgen:if hasStats
func TestSTA09StatsDoNotWaitForHooks(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		b.creating(take(5 * time.Second))
		b.closing(take(500 * time.Millisecond))
		b.request(b.ctx)
		held[0].Discard()
		begun := time.Now()
		b.whole()
		require.Zero(t, time.Since(begun))
	})
}

//poolgen:if hasTry
func TestSTA10AProbeNeitherHangsNorTakesTheLastConnectionAway(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		probe := func() error {
			ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
			defer cancel()
			lease, err := b.pool.TryAcquire(ctx)
			lease.Release()
			return err
		}
		require.NoError(t, probe())
		synctest.Wait()
		h := b.acquire()
		begun := time.Now()
		require.ErrorIs(t, probe(), ErrPoolExhausted, "it is saturated")
		require.Zero(t, time.Since(begun))
		waiter := b.request(b.ctx)
		require.ErrorIs(t, probe(), ErrPoolExhausted)
		b.release(h)
		h = waiter.served()
		b.creating(take(time.Hour))
		h.Discard()
		synctest.Wait()
		require.ErrorIs(t, probe(), context.DeadlineExceeded, "the server does not answer")
		require.Equal(t, 100*time.Millisecond, time.Since(begun))
		time.Sleep(time.Minute)
		b.heal()
		require.NoError(t, probe())
	})
}

//poolgen:if hasStats
func TestSTA11ThePlacesOfAClosedPoolAreVacantAndItsCountsStay(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.idle(3)
		require.NoError(t, b.closePool(time.Second))
		s := b.pool.Stats()
		require.Equal(t, 3, s.Vacant)
		require.EqualValues(t, 3, s.Created)
		require.EqualValues(t, 3, s.RetiredUnwanted)
	})
}

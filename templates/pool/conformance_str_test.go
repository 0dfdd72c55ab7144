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

// storm is users who do everything that can be done with a pool at the same time, while all its hooks
// misbehave.
type storm struct {
	*backend
	patience time.Duration // of users, at the most
	pause    time.Duration // of a user between two things, at the most
	loses    bool          // users lose leases, which the garbage collector finds
	largest  atomic.Int64  // size there has been
	leases   atomic.Int64  // of connections of the pool
}

// weather is random options of a pool for which a unit is a short time.
func weather(unit time.Duration) PoolOptions {
	some := func(n int) int { return rand.IntN(2) * (1 + rand.IntN(n)) }
	span := func(d time.Duration) time.Duration { return time.Duration(rand.IntN(2)) * (d/2 + rand.N(d/2)) }
	o := PoolOptions{
		MaxSize: 1 + rand.IntN(20), MaxIdle: some(20), IdleTimeout: span(30 * unit), MaxLifetime: span(100 * unit),
		MaxWaiters: some(50), AcquireTimeout: span(20 * unit), MaxConcurrentCreates: some(5), CreateRetries: some(3),
		BreakAfter: some(8), BreakTime: span(20 * unit), LeakThreshold: span(10 * unit), HealthCheckPeriod: span(50 * unit),
		CreateTimeout: unit + rand.N(20*unit), HealthCheckTimeout: unit + rand.N(20*unit),
		OnLeak: func(Leak) {},
	}
	o.Barging = span(20 * unit) //poolgen:if hasBarging
	o.MinIdle = min(some(5), o.MaxSize)
	if o.MaxIdle > 0 {
		o.MinIdle = min(o.MinIdle, o.MaxIdle)
	}
	return o
}

func newStorm(b *backend, o PoolOptions, patience time.Duration) *storm {
	s := &storm{backend: b, patience: patience}
	s.largest.Store(int64(o.MaxSize))
	rarity := 2 + rand.IntN(30)
	b.chaos(rarity, patience/10)
	hangs := func(s *script) {
		wild := *s
		*s = func(ctx context.Context, c *Conn) error {
			switch rand.IntN(3 * rarity) {
			case 0:
				return take(100*patience)(ctx, c)
			case 1:
				return deaf(rand.N(5*patience))(ctx, c)
			}
			return wild(ctx, c)
		}
	}
	b.set(func() {
		b.onAfterCreate, b.onBeforeAcquire, b.onAfterRelease = b.onCreate, b.onCreate, b.onCreate
		b.onBeforeClose = func(context.Context, *Conn) error {
			if rand.IntN(10) == 0 {
				panic("oh no")
			}
			return nil
		}
		hangs(&b.onCreate)
		hangs(&b.onCheck)
		hangs(&b.onClose)
	})
	return s
}

// user goes on until the pool is closed, or stop. It does what it does in one goroutine after another, as hooks
// end them.
func (s *storm) user(stop *atomic.Bool) {
	for open := true; open && !stop.Load(); {
		ended := make(chan bool, 1)
		go func() {
			open := true
			defer func() { ended <- open }()
			for open && !stop.Load() {
				open = s.act()
				time.Sleep(rand.N(s.pause + 1))
			}
		}()
		open = <-ended
	}
}

// act does one thing at random. It reports whether the pool may be open.
func (s *storm) act() (open bool) {
	open = true
	defer func() {
		if v := recover(); v != nil && v != "oh no" {
			panic(v)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), rand.N(s.patience))
	defer cancel()
	acquire := s.pool.Acquire
	switch n := rand.IntN(200); {
	case n == 0:
		s.resize(1 + rand.IntN(24))
		return true
	case n == 1:
		s.pool.Reset()
		return true
	case n < 5:
		s.pool.Retain(func(*Conn) bool {
			if rand.IntN(20) == 0 {
				panic("oh no")
			}
			return rand.IntN(5) > 0
		})
		return true
	case n < 8:
		return !errors.Is(s.pool.Warm(ctx, rand.IntN(8), nil), ErrPoolClosed)
	case n < 12 && s.overflows:
		return !errors.Is(s.pool.Insert(s.connect(ctx, nil)), ErrPoolClosed)
	case n < 16:
		_, _ = s.pool.Leases(s.patience/2), s.pool.Stats().String()
		s.sound()
		return true
	case n < 18:
		cancel()
	case n < 30:
		acquire = s.pool.TryAcquire
	case n < 45 && s.overflows:
		acquire = s.pool.AcquireOrCreate
	case n < 60:
		return s.with(ctx)
	}
	lease, err := acquire(ctx)
	if err != nil {
		return !errors.Is(err, ErrPoolClosed)
	}
	s.use(lease)
	return true
}

func (s *storm) resize(n int) {
	s.set(func() { s.largest.Store(max(s.largest.Load(), int64(n))) })
	s.pool.Resize(n)
}

// with is act by With.
func (s *storm) with(ctx context.Context) bool {
	err := s.pool.With(ctx, func(c *Conn) error {
		s.leases.Add(1)
		h := s.hold(Lease{leased: c})
		defer h.leave()
		switch rand.IntN(10) {
		case 0:
			panic("oh no")
		case 1:
			runtime.Goexit()
		case 2:
			return errFatal
		case 3:
			return errDirty
		}
		return nil
	})
	return !errors.Is(err, ErrPoolClosed)
}

// use uses a lease and ends it in one of the ways there are.
func (s *storm) use(lease Lease) {
	if !lease.Fresh() {
		s.leases.Add(1)
	}
	h := s.hold(lease)
	if rand.IntN(4) == 0 {
		time.Sleep(rand.N(s.patience / 10))
	}
	switch n := rand.IntN(20); {
	case n == 0:
		h.Discard()
	case n == 1:
		h.Detach()
	case n == 2:
		h.leave()
		go lease.Discard()
		lease.Release()
	case n == 3:
		h.leave()
		lease.ReleaseErr(errFatal)
	case n == 4:
		h.leave()
		lease.ReleaseErr(errDirty)
	case n == 5 && s.loses:
		h.leave()
		h.Lease = Lease{} // which was the last copy
		return
	default:
		h.Release()
	}
	if rand.IntN(4) == 0 {
		lease.Release() // a stale copy
	}
}

// sound requires that the numbers of the statistics add up at any time. A pool that has shrunk lacks places.
func (s *storm) sound() {
	st := s.pool.Stats()
	require.Equal(s, st.MaxSize, st.Idle+st.InUse+st.Creating+st.Warming+st.Checking+st.Resetting+st.Closing+st.Vacant, "places: %+v", st)
	for _, n := range []int{st.Idle, st.InUse, st.Creating, st.Warming, st.Checking, st.Resetting, st.Closing, st.Fresh, st.Waiting} {
		require.GreaterOrEqual(s, n, 0, "%+v", st)
	}
}

// collected waits until the garbage collector has found the leases that users have lost.
func (s *storm) collected() {
	for begun := time.Now(); s.pool.Stats().InUse+s.pool.Stats().Fresh > 0 && time.Since(begun) < 10*time.Second; time.Sleep(time.Millisecond) {
		runtime.GC()
	}
}

// holdsAllSoon requires that all places can be leased at the same time, although requests may be turned down.
func (s *storm) holdsAllSoon(within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	var held, done sync.WaitGroup
	places := s.pool.Stats().MaxSize
	held.Add(places)
	for range places {
		done.Go(func() {
			var err error
			for ctx.Err() == nil {
				var lease Lease
				if lease, err = s.pool.Acquire(ctx); err == nil {
					s.leases.Add(1)
					h := s.hold(lease)
					held.Done()
					held.Wait()
					h.Release()
					return
				}
				time.Sleep(time.Millisecond)
			}
			s.violation("not all places can be leased: %v", err)
			held.Done()
		})
	}
	done.Wait()
}

// passed requires what must be true of the pool after a storm. Rest lets it come to rest.
func (s *storm) passed(rest func()) {
	s.heal()
	s.end()
	s.releaseAll()
	if s.loses {
		s.collected()
	}
	rest()
	require.GreaterOrEqual(s, s.pool.Stats().Vacant, 0, "connections beyond MaxSize: %+v", s.pool.Stats())
	if err := s.pool.Resize(1 + rand.IntN(20)); err == nil {
		s.largest.Store(max(s.largest.Load(), int64(s.pool.Stats().MaxSize)))
		s.holdsAllSoon(20 * time.Second)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ending := s.pool.Close
	if rand.IntN(2) == 0 {
		ending = s.pool.Drain
	}
	require.NoError(s, ending(ctx))
	rest()
	s.sound()
	s.balanced()
	st := s.pool.Stats()
	require.Equal(s, st.MaxSize, st.Vacant, "%+v", st)
	require.EqualValues(s, s.leases.Load(), st.Acquired)

	s.mu.Lock()
	defer s.mu.Unlock()
	require.Empty(s, s.calls, "creates still run")
	for _, a := range s.conns {
		if a.gone {
			require.Zero(s, a.closes, "connection %d, detached", a.number)
		} else {
			require.Equal(s, 1, a.closes, "closes of connection %d", a.number)
		}
	}
	if !s.overflows {
		require.LessOrEqual(s, int64(s.peak), s.largest.Load(), "connections at a time")
	}
}

// TestSTR01EverythingAtOnce is storms in real time.
func TestSTR01EverythingAtOnce(t *testing.T) {
	lasts := time.Second
	if *long {
		lasts = 30 * time.Second
	}
	for begun := time.Now(); time.Since(begun) < lasts && !t.Failed(); {
		goroutines := runtime.NumGoroutine()
		o := weather(time.Millisecond)
		o.CreateTimeout, o.HealthCheckTimeout = time.Minute, time.Minute // a busy machine is not to end jobs
		b := newBackend(t, o)
		s := newStorm(b, o, 20*time.Millisecond)
		s.overflows, s.loses = rand.IntN(2) == 0, rand.IntN(2) == 0
		var stop atomic.Bool
		var all sync.WaitGroup
		for range 1 + rand.IntN(60) {
			all.Go(func() { s.user(&stop) })
		}
		time.Sleep(100 * time.Millisecond)
		end := func(ending func(context.Context) error) {
			ctx, cancel := context.WithTimeout(context.Background(), rand.N(40*time.Millisecond))
			defer cancel()
			ending(ctx)
		}
		switch rand.IntN(4) {
		case 0:
			end(s.pool.Drain)
			end(s.pool.Close)
		case 1:
			end(s.pool.Close)
		}
		stop.Store(true)
		all.Wait()
		s.passed(b.rest)
		for begun := time.Now(); runtime.NumGoroutine() > goroutines && time.Since(begun) < 5*time.Second; {
			time.Sleep(time.Millisecond)
		}
		require.LessOrEqual(t, runtime.NumGoroutine(), goroutines, "goroutines are left")
		if t.Failed() {
			t.Logf("%+v", o)
		}
	}
}

// TestSTR07AMonthOfSparseTrafficWithFailures is storms in virtual time.
func TestSTR07AMonthOfSparseTrafficWithFailures(t *testing.T) {
	begun := time.Now()
	for time.Since(begun) < time.Second || *long && time.Since(begun) < 30*time.Second {
		synctest.Test(t, func(t *testing.T) {
			o := weather(time.Second)
			b := newBackend(t, o)
			s := newStorm(b, o, 20*time.Second)
			s.pause = time.Second
			s.overflows = rand.IntN(2) == 0
			var stop atomic.Bool
			var all sync.WaitGroup
			for range 1 + rand.IntN(60) {
				all.Go(func() { s.user(&stop) })
			}
			time.Sleep(100 * time.Second)
			stop.Store(true)
			all.Wait()
			s.passed(func() { time.Sleep(24 * time.Hour); synctest.Wait() })
			if t.Failed() {
				t.Logf("%+v", o)
			}
		})
		if t.Failed() {
			return
		}
	}
}

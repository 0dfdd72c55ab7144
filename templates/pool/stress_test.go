package pool

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var long = flag.Bool("long", false, "let the stress tests run for 30 s")

func stressTime() time.Duration {
	switch {
	case *long:
		return 30 * time.Second
	case testing.Short():
		return time.Second
	}
	return 3 * time.Second
}

// rest waits in real time until the pool has come to rest.
func (b *backend) rest() {
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		busy := len(b.calls)
		b.mu.Unlock()
		b.pool.mu.Lock() // not every pool has Stats
		s := b.pool.stats
		b.pool.mu.Unlock()
		busy += s.Waiting
		busy += s.Fresh //poolgen:if hasFresh
		for _, n := range underWay(s) {
			busy += n
		}
		if busy == 0 {
			return
		}
	}
}

// chaos has every hook fail, panic, exit and dawdle at random, about once in so many calls.
func (b *backend) chaos(rarity int, dawdle time.Duration) {
	odd := func() bool { return rand.IntN(rarity) == 0 }
	wild := script(func(ctx context.Context, c *Conn) error {
		if odd() {
			if err := take(rand.N(dawdle))(ctx, c); err != nil {
				return err
			}
		}
		switch {
		case odd():
			return errRefused
		case odd():
			panic("oh no")
		case odd():
			runtime.Goexit()
		}
		return nil
	})
	b.creating(wild)
	b.checking(wild)
	b.closing(wild)
	b.resetting(func(ctx context.Context, c *Conn) error {
		if _, away := ctx.Deadline(); away {
			return wild(ctx, c)
		} else if odd() {
			return errDirty
		} else if odd() {
			panic("oh no")
		}
		return nil
	})
	b.needing(func(*Conn) bool {
		if first, second := odd(), odd(); first && second {
			panic("oh no")
		}
		return rand.IntN(3) == 0
	})
	b.breaking(func(*Conn) bool {
		if first, second := odd(), odd(); first && second {
			panic("oh no")
		}
		return odd()
	})
}

// user does one thing at random that users do with a pool, and reports whether the pool is open.
func (b *backend) user(patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), rand.N(patience))
	defer cancel()
	acquire := b.pool.Acquire
	switch n := rand.IntN(40); {
	case n == 0:
		cancel()
	case n == 1: //poolgen:if hasStats
		b.pool.Stats()
	case n == 2: //poolgen:if hasWarm
		b.pool.Warm(ctx, rand.IntN(3), nil)
		return true
	case n < 6: //poolgen:if hasTry
		acquire = b.pool.TryAcquire
	case n < 9 && b.overflows: //poolgen:if hasOutside
		acquire = b.pool.AcquireOrCreate
	case n < 12: //poolgen:if hasWith
		return b.with(ctx)
	}
	lease, err := acquire(ctx)
	if err != nil {
		return !errors.Is(err, ErrPoolClosed)
	}
	h := b.hold(lease)
	if rand.IntN(4) == 0 {
		time.Sleep(rand.N(patience / 20))
	}
	switch n := rand.IntN(20); n {
	case 0:
		h.Discard()
	case 1: //poolgen:if hasDetach
		h.Detach()
	case 2:
		h.leave()
		go h.Lease.Discard()
		h.Lease.Release()
	default:
		h.Release()
	}
	if rand.IntN(4) == 0 {
		h.Lease.Release() // a stale copy
	}
	return true
}

//poolgen:if hasWith
func (b *backend) with(ctx context.Context) bool {
	defer func() { _ = recover() }()
	err := b.pool.With(ctx, func(c *Conn) error {
		b.set(func() {
			if a := b.conns[c]; a.holders != 0 || a.closes != 0 || a.gone {
				b.violation("With got connection %d, which is somebody's or closed", a.number)
			}
		})
		switch rand.IntN(5) {
		case 0:
			panic("oh no")
		case 1:
			return errDirty
		}
		return nil
	})
	return !errors.Is(err, ErrPoolClosed)
}

// TestStress has users and hooks misbehave in all ways at the same time. What must be true afterwards is
// in finish; what must be true all the time is in the hooks.
func TestStress(t *testing.T) {
	for name, stress := range map[string]struct {
		options   PoolOptions
		overflows bool
		whilst    bool // the users are there when the pool is closed
	}{
		"pooled":        {PoolOptions{MaxSize: 16}, false, false},
		"overflowing":   {PoolOptions{MaxSize: 5}, true, false},
		"barging":       {PoolOptions{MaxSize: 5, Barging: time.Millisecond}, false, false}, //poolgen:if hasBarging
		"closed amidst": {PoolOptions{MaxSize: 100}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			goroutines := runtime.NumGoroutine()
			stress.options.CreateTimeout = time.Minute      // a busy machine is not to end jobs that have not begun
			stress.options.HealthCheckTimeout = time.Minute //poolgen:if hasCheck
			if stress.whilst {
				stress.options.MaxConcurrentCreates, stress.options.MaxWaiters = 5, 300 //poolgen:if hasLimits
			}
			b := newBackend(t, stress.options)
			b.overflows, b.crowded = stress.overflows, stress.overflows // so that no peak matters
			b.chaos(30, 2*time.Millisecond)
			var stop atomic.Bool
			var all sync.WaitGroup
			for range 1000 {
				all.Go(func() {
					for !stop.Load() && b.user(20*time.Millisecond) {
					}
				})
			}
			for begun := time.Now(); time.Since(begun) < stressTime()/3; time.Sleep(5 * time.Millisecond) {
				b.whole()
			}
			if stress.whilst {
				require.NoError(t, b.closePool(10*time.Second))
			}
			stop.Store(true)
			all.Wait()
			b.finish(b.rest)
			for begun := time.Now(); runtime.NumGoroutine() > goroutines && time.Since(begun) < 5*time.Second; {
				time.Sleep(time.Millisecond)
			}
			require.LessOrEqual(t, runtime.NumGoroutine(), goroutines, "goroutines are left")
		})
	}
}

// TestStressInVirtualTime is the same with hooks that hang, heeding their context or not, for much longer
// than their time.
func TestStressInVirtualTime(t *testing.T) {
	rounds := int(stressTime() / (100 * time.Millisecond))
	for range rounds {
		options := PoolOptions{MaxSize: 1 + rand.IntN(10)}
		options.MaxConcurrentCreates, options.MaxWaiters = rand.IntN(4), rand.IntN(3)*10 //poolgen:if hasLimits
		options.Barging = time.Duration(rand.IntN(2)) * rand.N(3*time.Second)            //poolgen:if hasBarging
		virtual(t, options, func(t *testing.T, b *backend) {
			b.overflows = rand.IntN(2) == 0
			b.chaos(20, 3*time.Second)
			for _, s := range []*script{&b.onCreate, &b.onCheck, &b.onClose} {
				wild := *s
				b.set(func() {
					*s = func(ctx context.Context, c *Conn) error {
						switch rand.IntN(60) {
						case 0:
							return take(time.Hour)(ctx, c)
						case 1:
							return deaf(rand.N(30*time.Second))(ctx, c)
						}
						return wild(ctx, c)
					}
				})
			}
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					for range 40 {
						b.user(time.Duration(1 + rand.N(10*time.Second)))
						b.whole()
					}
				})
			}
			all.Wait()
		})
	}
}

func TestStressLeavesNothingInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, PoolOptions{MaxSize: 4})
		b.chaos(10, time.Second)
		for range 20 {
			go func() {
				for b.user(time.Second) {
				}
			}()
		}
		time.Sleep(time.Minute)
		b.heal()
		require.NoError(t, b.closePool(time.Hour))
	}) // the end of which proves it
}

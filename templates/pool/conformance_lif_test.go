package pool

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// ageing is virtual for pools whose upkeep ticks: a day at rest, as there, would be very many ticks.
func ageing(t *testing.T, options PoolOptions, f func(t *testing.T, b *backend)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, options)
		defer b.finish(func() { time.Sleep(30 * time.Second); synctest.Wait() })
		f(t, b)
	})
}

// during calls f every step of a time.
func during(d, step time.Duration, f func()) {
	for begun := time.Now(); time.Since(begun) < d; time.Sleep(step) {
		f()
	}
}

// age returns how long ago a connection was created.
func (b *backend) age(c *Conn) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Since(b.conns[c].born)
}

// lifetimes returns how old the connections became that have been closed, in order.
func (b *backend) lifetimes() (all []time.Duration) {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.conns {
		if a.closes > 0 {
			all = append(all, a.died.Sub(a.born))
		}
	}
	slices.Sort(all)
	return all
}

func idleOf(s PoolStats) int   { return s.Idle }
func inUseOf(s PoolStats) int  { return s.InUse }
func vacantOf(s PoolStats) int { return s.Vacant }

// lifetime is MaxLifetime in these tests; by default, connections are retired in its last tenth, or a tick before.
const (
	lifetime      = time.Minute
	shortLifetime = lifetime*9/10 - lifetime/64
)

// The connection is not cut off from whoever has it.
//
//poolgen:if hasLifetime
func TestLIF01ALeasedConnectionOlderThanMaxLifetimeIsClosedOnRelease(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 1, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		h := b.acquire()
		time.Sleep(2 * lifetime)
		waiter := b.request(b.ctx)
		require.Zero(t, b.closed(h.Conn()))
		b.release(h)
		require.Equal(t, 1, b.closed(h.Conn()))
		require.NotSame(t, h.Conn(), waiter.served().Conn())
		require.EqualValues(t, 1, b.pool.Stats().RetiredExpired)
	})
}

// Nothing is ever idle in this pool, so that only releases can retire what is old.
//
//poolgen:if hasLifetime
func TestLIF01MaxLifetimeIsEnforcedInAPoolThatIsAlwaysBusy(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 4, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		use := 200 * time.Millisecond
		for range 6 {
			go func() {
				during(5*lifetime, 0, func() {
					h := b.acquire()
					require.Less(b, b.age(h.Conn()), lifetime+use, "one that goes from hand to hand, too")
					time.Sleep(use)
					h.Release()
				})
			}()
		}
		time.Sleep(6 * lifetime)
		all := b.lifetimes()
		require.GreaterOrEqual(t, len(all), 20, "four each lifetime")
		within(t, shortLifetime, lifetime+use, all[0], "the shortest life")
		within(t, shortLifetime, lifetime+use, all[len(all)-1], "the longest life")
	})
}

//poolgen:if hasLifetime
func TestLIF02AnIdleConnectionOlderThanMaxLifetimeIsNotHandedOut(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 3, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		b.idle(3)
		during(20*lifetime, 0, func() {
			time.Sleep(rand.N(lifetime / 20))
			held := b.acquireAll(3)
			for _, h := range held {
				require.LessOrEqual(t, b.age(h.Conn()), lifetime)
			}
			b.release(held...)
		})
		require.Greater(t, b.pool.Stats().RetiredExpired, uint64(50))
	})
}

//poolgen:if hasLifetime
func TestLIF03AnIdleConnectionIsClosedAtMaxLifetimeWithoutTraffic(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 5, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		b.idle(5)
		time.Sleep(shortLifetime - 1)
		b.left(5)
		time.Sleep(lifetime - shortLifetime + 1)
		b.left(0)
		b.expect(5, "vacant", vacantOf)
		b.created(5)
	})
}

//poolgen:if hasLifetime
func TestLIF04MaxLifetimeNeverClosesALeasedConnection(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 3, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		other := b.acquire()
		b.release(other)
		time.Sleep(5 * lifetime)
		for _, h := range held {
			require.Zero(t, b.closed(h.Conn()))
		}
		require.Equal(t, 1, b.closed(other.Conn()))
		b.left(2)
		b.expect(2, "in use", inUseOf)
	})
}

// All are created at the same instant, and none but the jitter keeps them from going at the same instant.
//
//poolgen:if hasLifetime
func TestLIF05ConnectionsBornTogetherAreRetiredOneAfterAnother(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 20, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		b.idle(20)
		time.Sleep(lifetime)
		all := b.lifetimes()
		require.Len(t, all, 20, "none is older than MaxLifetime")
		spread := all[19] - all[0]
		t.Logf("20 connections were retired within %v, at %d instants", spread, len(slices.Compact(slices.Clone(all))))
		within(t, lifetime/50, lifetime/10+lifetime/64, spread, "the end of 20 connections")
		within(t, shortLifetime, lifetime, all[0], "the shortest life")
		require.LessOrEqual(t, all[19], lifetime)
	})
}

// A server sees no herd either: what goes at a time is a small part of all.
//
//poolgen:if hasLifetime
func TestLIF05NoInstantRetiresALargePartOfThePool(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 300, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		b.idle(300)
		time.Sleep(lifetime)
		at := map[time.Duration]int{}
		for _, life := range b.lifetimes() {
			at[life]++
		}
		require.Greater(t, len(at), 5)
		for life, n := range at {
			require.Less(t, n, 100, "after %v", life)
		}
	})
}

//poolgen:if hasLifetime
func TestLIF06TheJitterIsRightForEveryLifetime(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, life := range []time.Duration{1, 9, 10, time.Microsecond, time.Millisecond, 1 << 32, 3 << 32, 1<<32 - 1, time.Hour, 10 * year} {
		for _, jitter := range []time.Duration{0, 1, life / 2, life - 1, life} {
			t.Run(life.String()+" less up to "+jitter.String(), func(t *testing.T) {
				ageing(t, PoolOptions{MaxSize: 8, MaxLifetime: life, MaxLifetimeJitter: jitter}, func(t *testing.T, b *backend) {
					time.Sleep(rand.N(2*time.Millisecond) / 2)
					b.idle(8)
					if jitter == 0 {
						jitter = life / 10
					}
					tick := max(time.Millisecond, life/64, jitter/8) // the resolution, for what is finer than that
					time.Sleep(max(life, tick) + 1)
					all := b.lifetimes()
					require.Len(t, all, 8)
					require.GreaterOrEqual(t, all[0], life-jitter-tick)
					require.LessOrEqual(t, all[7], max(life, tick))
				})
			})
		}
	}
}

// For the pool has to add it to the time.
//
//poolgen:if hasLifetime
func TestLIF06ALifetimeAsLongAsTimeCanTellDoesNotOverflow(t *testing.T) {
	for _, jitter := range []time.Duration{0, 1, math.MaxInt64} {
		t.Run(jitter.String(), func(t *testing.T) {
			ageing(t, PoolOptions{MaxSize: 1, MaxLifetime: math.MaxInt64, MaxLifetimeJitter: jitter}, func(t *testing.T, b *backend) {
				time.Sleep(time.Hour)
				h := b.acquire()
				b.release(h)
				time.Sleep(5 * 365 * 24 * time.Hour) // by when the upkeep has looked, which is a 64th of the lifetime
				require.Zero(t, b.closed(h.Conn()))
			})
		})
	}
}

// Were it drawn again and again, the shortest draw of many would win.
//
//poolgen:if hasLifetime
func TestLIF06TheJitterIsDrawnOnceForEachConnection(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 2000, MaxLifetime: lifetime, MaxLifetimeJitter: lifetime / 2}, func(t *testing.T, b *backend) {
		b.idle(2000)
		for range 59 {
			time.Sleep(lifetime / 60)
			b.release(b.acquire())
		}
		time.Sleep(lifetime / 60)
		sum := time.Duration(0)
		for _, life := range b.lifetimes() {
			sum += life
		}
		within(t, lifetime*70/100, lifetime*77/100, sum/2000, "a life, on average,")
	})
}

//poolgen:if hasLifetime && hasIdle
func TestLIF07WithoutMaxLifetimeNoConnectionExpires(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 3, MaxIdle: 3}, func(t *testing.T, b *backend) {
		b.idle(3)
		h := b.acquire()
		time.Sleep(10 * time.Hour)
		b.release(h)
		time.Sleep(10 * time.Hour)
		require.Empty(t, b.lifetimes())
		b.created(3)
	})
}

//poolgen:if hasIdle
func TestLIF08IdleTimeoutClosesWhatIsIdleBeyondMinIdle(t *testing.T) {
	const timeout = 20 * time.Second
	ageing(t, PoolOptions{MaxSize: 10, IdleTimeout: timeout, MinIdle: 2}, func(t *testing.T, b *backend) {
		b.idle(8)
		time.Sleep(timeout - 1)
		b.left(8)
		time.Sleep(timeout/4 + 1)
		b.left(2)
		require.EqualValues(t, 6, b.pool.Stats().RetiredIdle)
		time.Sleep(10 * timeout)
		b.left(2)
		b.created(8)
	})
}

// The resolution of the upkeep must not show: a timeout that is no multiple of anything is kept as well.
//
//poolgen:if hasIdle
func TestLIF08AConnectionIsRetiredAtIdleTimeoutOrAQuarterLater(t *testing.T) {
	for range 100 {
		timeout := time.Duration(10+rand.IntN(1000)) * time.Second / time.Duration(1+rand.IntN(7))
		options := PoolOptions{MaxSize: 1, IdleTimeout: timeout}
		options.MaxLifetime = timeout * time.Duration(5+rand.IntN(50)) //poolgen:if hasLifetime
		ageing(t, options, func(t *testing.T, b *backend) {
			h := b.acquire()
			time.Sleep(rand.N(timeout))
			b.release(h)
			used := b.age(h.Conn())
			time.Sleep(timeout * 5 / 4)
			require.Equal(t, 1, b.closed(h.Conn()), "idle timeout %v, lifetime %v", timeout, options.MaxLifetime)
			within(t, timeout, timeout*5/4, b.lifetimes()[0]-used, "being idle for too long")
		})
	}
}

//poolgen:if hasIdle
func TestLIF08AConnectionInUseIsNotIdle(t *testing.T) {
	const timeout = 10 * time.Second
	ageing(t, PoolOptions{MaxSize: 4, IdleTimeout: timeout}, func(t *testing.T, b *backend) {
		held := b.acquireAll(3)
		b.release(held[2])
		during(10*timeout, timeout/2, func() { b.release(b.acquire()) })
		b.left(3)
		require.Zero(t, b.closed(held[0].Conn()), "leased all the time")
		require.Zero(t, b.closed(held[2].Conn()), "leased now and then")
		b.release(held[0])
		time.Sleep(timeout * 5 / 4)
		b.left(1)
	})
}

// It is closed or leased, never both: the backend fails the test if a connection is handed out that is
// closed, or closed while leased, or closed twice.
//
//poolgen:if hasLifetime && hasIdle
func TestLIF09TheReaperAndRequestersNeverBothHaveAConnection(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 8, IdleTimeout: 4 * time.Millisecond, MaxLifetime: 12 * time.Millisecond, MaxIdle: 6})
	defer b.finish(b.rest)
	var all sync.WaitGroup
	var stop atomic.Bool
	for range 16 {
		all.Go(func() {
			for !stop.Load() {
				h := b.acquire()
				time.Sleep(rand.N(100 * time.Microsecond))
				h.Release()
				time.Sleep(rand.N(5 * time.Millisecond))
			}
		})
	}
	time.Sleep(stressTime() / 5)
	stop.Store(true)
	all.Wait()
	require.Greater(t, b.pool.Stats().RetiredExpired+b.pool.Stats().RetiredIdle, uint64(20), "the reaper had something to do")
}

//poolgen:if hasLifetime && hasIdle
func TestLIF10IfTheSuccessorOfAnExpiredConnectionCannotBeCreatedItsPlaceIsFreeAndThePoolRecovers(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 2, MinIdle: 2, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		b.expect(2, "idle", idleOf)
		b.creating(fail(errRefused))
		time.Sleep(5 * lifetime)
		b.expect(2, "vacant", vacantOf)
		require.ErrorIs(t, b.request(b.ctx).failed(), errRefused)
		b.heal()
		b.release(b.request(b.ctx).served())
		time.Sleep(65 * time.Second) // the longest pause of the upkeep
		b.expect(2, "idle", idleOf)
	})
}

// Requests come at the very instants at which the upkeep retires connections.
//
//poolgen:if hasLifetime
func TestLIF11AConnectionThatExpiresWhileItIsAcquiredMakesNoError(t *testing.T) {
	for range 5 {
		ageing(t, PoolOptions{MaxSize: 4, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
			b.idle(4)
			during(3*lifetime, lifetime/64, func() {
				for range 4 {
					b.launch(b.ctx, b.pool.Acquire, func(h *held) {
						require.LessOrEqual(t, b.age(h.Conn()), lifetime)
						h.Release()
					})
				}
				b.load(4, 0)
			})
		})
	}
}

//poolgen:if hasIdle
func TestLIF12UnderLittleTrafficTheConnectionsThatItDoesNotNeedExpire(t *testing.T) {
	const timeout = 20 * time.Second
	ageing(t, PoolOptions{MaxSize: 10, IdleTimeout: timeout}, func(t *testing.T, b *backend) {
		b.idle(10)
		during(5*timeout, time.Second, func() { b.release(b.acquire()) })
		b.left(1)
		b.created(10)
	})
}

// Goroutines start their search at different places, lest they fight over one, so a few more places stay in use than
// so little traffic needs.
//
//poolgen:if hasIdle
func TestLIF12UnderLittleTrafficOfManyTheOtherConnectionsExpire(t *testing.T) {
	const timeout = 20 * time.Second
	ageing(t, PoolOptions{MaxSize: 200, IdleTimeout: timeout}, func(t *testing.T, b *backend) {
		b.idle(200)
		for range 50 {
			go during(5*timeout, 5*time.Second, func() {
				time.Sleep(rand.N(time.Second))
				h := b.acquire()
				time.Sleep(time.Millisecond)
				h.Release()
			})
		}
		time.Sleep(4 * timeout)
		require.LessOrEqual(t, b.connected(), b.pool.lanes+5)
		time.Sleep(4 * timeout)
		b.left(0)
	})
}

//poolgen:if hasLifetime && hasIdle
func TestLIF13AConnectionOfTheMinimumIsReplacedBeforeItIsRetired(t *testing.T) {
	for name, options := range map[string]PoolOptions{
		"default jitter": {MaxSize: 6, MinIdle: 3, MaxLifetime: lifetime},
		"hardly any":     {MaxSize: 6, MinIdle: 3, MaxLifetime: lifetime, MaxLifetimeJitter: 1},
		"none more idle": {MaxSize: 6, MinIdle: 3, MaxIdle: 3, MaxLifetime: lifetime, MaxLifetimeJitter: 1},
		"and a timeout":  {MaxSize: 6, MinIdle: 3, IdleTimeout: lifetime / 3, MaxLifetime: lifetime},
	} {
		t.Run(name, func(t *testing.T) {
			ageing(t, options, func(t *testing.T, b *backend) {
				b.expect(3, "idle", idleOf)
				b.creating(take(2 * time.Second))
				b.acquire().Discard() // which shows the pool how long creates take now
				time.Sleep(5 * time.Second)
				during(10*lifetime, 100*time.Millisecond, func() {
					synctest.Wait()
					require.GreaterOrEqual(t, b.pool.Stats().Idle, 3)
				})
				require.LessOrEqual(t, b.creations(), 3*14, "one successor for each")
			})
		})
	}
}

// Where there is no room for a successor beside it, the jitter has to do.
//
//poolgen:if hasLifetime && hasIdle
func TestLIF13AFullPoolIsReplacedOneAfterAnother(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 20, MinIdle: 20, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		b.expect(20, "idle", idleOf)
		during(10*lifetime, 100*time.Millisecond, func() {
			synctest.Wait()
			require.GreaterOrEqual(t, b.pool.Stats().Idle, 5)
		})
	})
}

// wallClockJumps makes the wall clock differ by that from what it would have been when the pool was made.
// The time that the pool keeps is changed where its wall clock stands, in seconds above the 30 lowest bits, if it
// has a monotonic clock too, as times from time.Now have.
func (b *backend) wallClockJumps(by time.Duration) {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	made := &b.pool.made
	if !strings.Contains(made.String(), " m=") {
		*made = made.Add(-by)
		return
	}
	*(*uint64)(unsafe.Pointer(made)) -= uint64(by/time.Second) << 30
}

// Virtual time has no monotonic clock, so this needs real time.
//
//poolgen:if hasLifetime && hasIdle
func TestLIF14AWallClockThatJumpsAheadMakesNoConnectionExpire(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 4, MaxLifetime: 8 * time.Second, IdleTimeout: 8 * time.Second})
	defer b.finish(b.rest)
	releaseAll(b.acquireAll(4))
	b.wallClockJumps(24 * time.Hour)
	begun := b.ticks()
	for b.ticks() < begun+3 {
		time.Sleep(time.Millisecond)
	}
	require.Zero(t, b.pool.Stats().RetiredExpired+b.pool.Stats().RetiredIdle)
	releaseAll(b.acquireAll(4))
	require.EqualValues(t, 4, b.pool.Stats().Created)
}

//poolgen:if hasLifetime
func TestLIF14AWallClockThatJumpsBackMakesNoConnectionImmortal(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 4, MaxLifetime: 100 * time.Millisecond})
	defer b.finish(b.rest)
	releaseAll(b.acquireAll(4))
	b.wallClockJumps(-time.Hour)
	require.Eventually(t, func() bool { return b.pool.Stats().RetiredExpired == 4 }, 10*time.Second, time.Millisecond)
}

// releaseAll releases leases in real time, where nobody can wait for that.
func releaseAll(all []*held) {
	for _, h := range all {
		h.Release()
	}
}

// ticks returns how often the upkeep has run.
//
//poolgen:if hasUpkeep
func (b *backend) ticks() uint32 {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	return b.pool.ticks
}

// sleeps plays a machine that sleeps, or a process that is stopped: time passes, but no tick comes before the
// end of it. (Where the monotonic clock stops too, nothing has happened, as far as the pool can see.)
func (b *backend) sleeps(d time.Duration) {
	b.pool.mu.Lock()
	b.pool.ticker.Reset(d)
	b.pool.mu.Unlock()
	time.Sleep(d - 1)
}

//poolgen:if hasLifetime && hasNeeds
func TestLIF15AfterAMachineHasSleptConnectionsAreCheckedBeforeUseAndTheOldOnesGo(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 5, MaxLifetime: lifetime}, func(t *testing.T, b *backend) {
		b.needing(func(c *Conn) bool { return time.Since(b.conns[c].born) > lifetime/2 })
		b.idle(5)
		time.Sleep(lifetime / 4)
		b.kill()
		b.sleeps(10 * lifetime)
		r := b.request(b.ctx) // comes before the first tick
		r.served()
		require.Less(t, b.age(r.held.Conn()), time.Second, "none of the dead ones")
		b.release(r.held)
		time.Sleep(time.Nanosecond)
		b.left(1)
		b.load(20, time.Millisecond)
	})
}

//poolgen:if hasLifetime && hasIdle
func TestLIF15TheUpkeepGoesOnAfterAMachineHasSlept(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 5, MaxLifetime: lifetime, MinIdle: 2, IdleTimeout: lifetime / 2}, func(t *testing.T, b *backend) {
		b.idle(5)
		b.sleeps(24 * time.Hour)
		b.left(5)
		time.Sleep(time.Nanosecond)
		b.left(0)
		time.Sleep(2 * time.Second)
		b.expect(2, "idle", idleOf)
		time.Sleep(lifetime)
		b.expect(2, "idle", idleOf)
		require.Greater(t, b.pool.Stats().RetiredExpired, uint64(5))
	})
}

// The end of a bubble proves that no goroutine is left; that there is no timer either, a pool proves that has
// not been closed: were there one, it would have made a tick.
func TestLIF17APoolWithoutLimitsHasNeitherAGoroutineNorATimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, PoolOptions{MaxSize: 4})
		b.release(b.acquireAll(4)...)
		time.Sleep(100 * time.Hour)
		require.Zero(t, b.ticks())                        //poolgen:if hasUpkeep
		require.False(t, b.pool.ticker.Stop(), "a timer") //poolgen:if hasUpkeep
		require.False(t, b.pool.timer.Stop(), "a timer")  //poolgen:if hasDemand || hasBreaker
		b.end()
	})
}

// Nor has one that has limits but nothing to which they apply.
//
//poolgen:if hasLifetime && hasIdle && hasBackground
func TestLIF17AnEmptyPoolHasNoTimer(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 4, MaxLifetime: lifetime, IdleTimeout: lifetime, HealthCheckPeriod: lifetime}, func(t *testing.T, b *backend) {
		for range 3 {
			b.idle(4)
			time.Sleep(2 * lifetime)
			b.left(0)
			ticks := b.ticks()
			time.Sleep(100 * lifetime)
			require.Equal(t, ticks, b.ticks())
		}
	})
}

//poolgen:if hasLifetime && hasIdle && hasBackground
func TestLIF17CloseStopsTheUpkeep(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 4, MinIdle: 4, MaxLifetime: lifetime, HealthCheckPeriod: lifetime}, func(t *testing.T, b *backend) {
		b.acquire()
		time.Sleep(lifetime)
		require.Error(t, b.closePool(time.Second))
		ticks := b.ticks()
		time.Sleep(lifetime)
		require.Equal(t, ticks, b.ticks())
	})
}

//poolgen:if hasLifetime && hasIdle && hasBackground
func TestLIF18TheWakeUpsOfTheUpkeepAreBoundedAndDoNotDependOnTheSizeOfThePool(t *testing.T) {
	wakeUps := map[int]uint32{}
	for _, size := range []int{1, 10, 500} {
		options := PoolOptions{MaxSize: size, MaxLifetime: time.Hour, IdleTimeout: 10 * time.Minute, HealthCheckPeriod: 5 * time.Minute}
		ageing(t, options, func(t *testing.T, b *backend) {
			b.idle(size)
			begun := b.ticks()
			during(time.Hour, time.Minute, func() { b.release(b.acquire()) })
			wakeUps[size] = b.ticks() - begun
		})
	}
	require.InDelta(t, wakeUps[1], wakeUps[10], 2)
	require.InDelta(t, wakeUps[1], wakeUps[500], 2)
	require.LessOrEqual(t, wakeUps[500], uint32(70), "one a minute, here")
}

// Nobody waits for a close, neither requesters nor other closes. Their number is that of the places at the
// most: none is free before the connection is closed.
//
//poolgen:if hasLifetime && hasClose
func TestLIF19ExpiredConnectionsAreClosedInParallelAndHoldUpNobody(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 20, MaxLifetime: lifetime, MaxLifetimeJitter: 1, HealthCheckTimeout: time.Hour}, func(t *testing.T, b *backend) {
		b.idle(10)
		b.closing(deaf(lifetime / 2))
		time.Sleep(lifetime + lifetime/4)
		b.expect(10, "closing", func(s PoolStats) int { return s.Closing })
		for range 10 {
			r := b.request(b.ctx)
			r.served()
			require.Zero(t, r.took)
		}
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		require.Error(t, b.request(ctx).wait().err, "20 connections are open")
		time.Sleep(lifetime / 4)
		b.expect(10, "vacant", vacantOf)
	})
}

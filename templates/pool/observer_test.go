package pool

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// diary is what an observer has been told.
type diary struct {
	mu                                       sync.Mutex // guards all that follows
	took, waited                             []time.Duration
	createErrors, acquireErrors, checkErrors []error
	released                                 int
	retired                                  map[string]int
	then                                     func() // is called on each event
}

func newDiary() *diary { return &diary{retired: map[string]int{}, then: func() {}} }

func (d *diary) note(change func()) {
	d.mu.Lock()
	change()
	then := d.then
	d.mu.Unlock()
	then()
}

func (d *diary) observer() *observer {
	return &observer{
		created:       func(took time.Duration) { d.note(func() { d.took = append(d.took, took) }) },
		createFailed:  func(err error) { d.note(func() { d.createErrors = append(d.createErrors, err) }) },
		acquired:      func(waited time.Duration) { d.note(func() { d.waited = append(d.waited, waited) }) },
		acquireFailed: func(err error) { d.note(func() { d.acquireErrors = append(d.acquireErrors, err) }) },
		released:      func() { d.note(func() { d.released++ }) },
		retired:       func(reason string) { d.note(func() { d.retired[reason]++ }) },
		checkFailed:   func(err error) { d.note(func() { d.checkErrors = append(d.checkErrors, err) }) },
	}
}

// reasons are for which connections were retired, and how many each.
func (d *diary) reasons() map[string]int {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.retired)
}

// observed runs a test of a pool with an observer.
func observed(t *testing.T, options PoolOptions, f func(t *testing.T, b *backend, d *diary)) {
	t.Helper()
	d := newDiary()
	options.Observer = d.observer()
	virtual(t, options, func(t *testing.T, b *backend) { f(t, b, d) })
}

//poolgen:if observesCreated && observesCreateFailed
func TestTheObserverIsToldOfCreatesAndHowLongTheyTook(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend, d *diary) {
		b.creating(inTurn(take(time.Second), take(2*time.Second).then(fail(errRefused)), take(3*time.Second)))
		b.request(b.ctx).wait().served()
		b.request(b.ctx).wait().failed()
		b.request(b.ctx).wait().served()
		require.Equal(t, []time.Duration{time.Second, 3 * time.Second}, d.took)
		require.Len(t, d.createErrors, 1)
		require.ErrorIs(t, d.createErrors[0], errRefused)
	})
}

//poolgen:if observesCreated && hasWarm && hasOutside
func TestTheObserverIsToldOfEveryKindOfCreate(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend, d *diary) {
		b.overflows = true
		require.NoError(t, b.pool.Warm(b.ctx, 2, func(ctx context.Context, i int) (*Conn, error) { return b.create(ctx) }))
		b.acquireAll(2)
		b.start(b.ctx, b.pool.AcquireOrCreate).served()
		require.Len(t, d.took, 3)
	})
}

//poolgen:if observesCreateFailed && hasRetry
func TestTheObserverIsToldOfEachTryOfACreate(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 2, CreateRetries: 3}, func(t *testing.T, b *backend, d *diary) {
		b.creating(inTurn(fail(errRefused), fail(errDirty), succeed))
		b.request(b.ctx).wait().served()
		require.Len(t, d.createErrors, 2)
		require.ErrorIs(t, d.createErrors[0], errRefused)
		require.ErrorIs(t, d.createErrors[1], errDirty)
	})
}

//poolgen:if observesAcquired && observesReleased
func TestTheObserverIsToldOfLeasesAndHowLongTheRequestersWaited(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend, d *diary) {
		h := b.acquire()
		require.Equal(t, []time.Duration{0}, d.waited)
		r := b.request(b.ctx)
		time.Sleep(3 * time.Second)
		require.Zero(t, d.released)
		b.release(h)
		b.release(r.served())
		b.release(h, r.held) // which have ended
		require.Equal(t, []time.Duration{0, 3 * time.Second}, d.waited)
		require.Equal(t, 2, d.released)
	})
}

//poolgen:if observesReleased && hasOutside && hasDetach
func TestALeaseThatEndsOtherwiseIsNotReleased(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend, d *diary) {
		b.overflows = true
		held := b.acquireAll(2)
		fresh := b.start(b.ctx, b.pool.AcquireOrCreate).served()
		held[0].Discard()
		held[1].Detach()
		require.Zero(t, d.released)
		b.release(fresh)
		require.Equal(t, 1, d.released, "that was a release")
	})
}

//poolgen:if observesAcquireFailed
func TestTheObserverIsToldOnceOfARequestThatFailsAndWhy(t *testing.T) {
	ended, end := context.WithCancel(context.Background())
	end()
	for name, c := range map[string]struct {
		fail func(b *backend)
		want error
	}{
		"the create fails": {func(b *backend) {
			b.held[0].Discard()
			b.creating(fail(errRefused))
			b.request(b.ctx).failed()
		}, errRefused},
		"the context had ended": {func(b *backend) { b.request(ended).failed() }, context.Canceled},
		"the context ends": {func(b *backend) {
			ctx, cancel := context.WithTimeout(b.ctx, time.Second)
			defer cancel()
			b.request(ctx).wait().failed()
		}, context.DeadlineExceeded},
		"the pool closes": {func(b *backend) {
			r := b.request(b.ctx)
			b.closePool(0)
			r.failed()
		}, ErrPoolClosed},
		"the pool is closed":   {func(b *backend) { b.closePool(0); b.request(b.ctx).failed() }, ErrPoolClosed},
		"all places are taken": {func(b *backend) { b.start(b.ctx, b.pool.TryAcquire).failed() }, ErrPoolExhausted},
		"with is as good":      {func(b *backend) { b.pool.With(ended, nil) }, context.Canceled},
		"whether it is due fell": {func(b *backend) {
			b.needing(func(*Conn) bool { panic("oh no") })
			b.release(b.held[0])
			b.request(b.ctx).failed()
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			observed(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend, d *diary) {
				b.acquire()
				require.Empty(t, d.acquireErrors)
				c.fail(b)
				require.Len(t, d.acquireErrors, 1)
				if c.want != nil {
					require.ErrorIs(t, d.acquireErrors[0], c.want)
				}
			})
		})
	}
}

//poolgen:if observesAcquireFailed && hasBeforeAcquire
func TestTheObserverIsToldOnceOfARequestThatFailsAfterTheHookHasRefusedConnections(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend, d *diary) {
		b.release(b.acquireAll(2)...)
		b.set(func() { b.onBeforeAcquire = fail(errDirty) })
		b.request(b.ctx).failed()
		require.Len(t, d.acquireErrors, 1)
	})
}

//poolgen:if observesRetired
func TestTheObserverIsToldWhyAConnectionWasRetired(t *testing.T) {
	for want, retire := range map[string]func(b *backend, h *held){
		"unhealthy": func(b *backend, h *held) { b.allDue(); b.kill(); b.release(h); b.acquire() },
		"broken":    func(b *backend, h *held) { b.breaking(func(*Conn) bool { return true }); b.release(h) },
		"discarded": func(_ *backend, h *held) { h.Discard() },
		"expired":   func(b *backend, h *held) { time.Sleep(time.Hour); b.release(h) },
		"idle":      func(b *backend, h *held) { b.release(h); time.Sleep(11 * time.Minute) },
		"surplus":   func(b *backend, h *held) { b.pool.Resize(2); b.acquire(); b.pool.Resize(1); b.releaseAll() },
		"reset":     func(b *backend, h *held) { b.pool.Reset(); b.release(h) },
		"unwanted":  func(b *backend, h *held) { b.closePool(0); b.release(h) },
	} {
		t.Run(want, func(t *testing.T) {
			options := PoolOptions{MaxSize: 1, MaxLifetime: time.Hour, IdleTimeout: 8 * time.Minute}
			observed(t, options, func(t *testing.T, b *backend, d *diary) {
				b.overflows = true // Resize
				h := b.acquire()
				require.Empty(t, d.reasons())
				retire(b, h)
				require.Equal(t, map[string]int{want: 1}, d.reasons())
			})
		})
	}
}

//poolgen:if observesRetired && hasLeaks
func TestTheObserverIsToldOfALeaseThatIsLost(t *testing.T) {
	d := newDiary()
	b := newBackend(t, PoolOptions{MaxSize: 1, Observer: d.observer()})
	defer b.finish(b.rest)
	_, err := b.pool.Acquire(b.ctx)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		runtime.GC()
		d.mu.Lock()
		defer d.mu.Unlock()
		return maps.Equal(d.retired, map[string]int{"lost": 1})
	}, 10*time.Second, time.Millisecond)
}

//poolgen:if observesCheckFailed
func TestTheObserverIsToldOfChecksThatFail(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend, d *diary) {
		b.release(b.acquireAll(2)...)
		b.allDue()
		b.release(b.request(b.ctx).served())
		require.Empty(t, d.checkErrors)
		b.checking(fail(errDirty))
		b.request(b.ctx).served()
		require.Len(t, d.checkErrors, 2, "the other idle connection is suspect, too")
		require.ErrorIs(t, d.checkErrors[0], errDirty)
	})
}

// An observer that was called under the pool's lock would wait for itself.
//
//poolgen:if hasObserver
func TestTheObserverMayAskThePool(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 3, MaxLifetime: time.Hour}, func(t *testing.T, b *backend, d *diary) {
		var calls atomic.Int64
		d.set(func() {
			calls.Add(1)
			b.whole()
			b.pool.Retain(func(*Conn) bool { return true })
		})
		b.creating(fail(errRefused))
		b.request(b.ctx).failed()
		b.creating(succeed)
		held := b.acquireAll(3)
		held[0].Discard()
		b.allDue()
		b.checking(inTurn(fail(errDirty), succeed))
		b.release(held[1:]...)
		b.request(b.ctx).served()
		b.pool.Reset()
		b.releaseAll()
		time.Sleep(2 * time.Hour)
		require.GreaterOrEqual(t, calls.Load(), int64(10))
		d.set(func() { b.whole(); b.closePool(0) })
		b.request(b.ctx)
	})
}

// set has the observer do something on each event, one at a time.
func (d *diary) set(then func()) {
	var mu sync.Mutex
	var at bool // the events that it causes itself pass by
	d.mu.Lock()
	defer d.mu.Unlock()
	d.then = func() {
		mu.Lock()
		if at {
			mu.Unlock()
			return
		}
		at = true
		mu.Unlock()
		then()
		mu.Lock()
		at = false
		mu.Unlock()
	}
}

//poolgen:if observesReleased
func TestAnObserverThatPanicsOnReleaseLosesNoPlace(t *testing.T) {
	for name, panics := range map[string]func(){"panic": func() { panic("oh no") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			o := quiet()
			virtual(t, PoolOptions{MaxSize: 1, Observer: o}, func(t *testing.T, b *backend) {
				h := b.acquire()
				o.released = panics
				done := make(chan any, 1)
				go func() {
					defer func() { done <- recover() }()
					h.Release()
				}()
				require.Equal(t, name == "panic", <-done != nil, "the panic is the releaser's")
				o.released = func() {}
				require.Equal(t, 1, b.closed(h.Conn()))
				b.request(b.ctx).served()
			})
		})
	}
}

//poolgen:if observesAcquired
func TestAnObserverThatPanicsOnAcquireLosesNoPlace(t *testing.T) {
	for name, panics := range map[string]func(){"panic": func() { panic("oh no") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			o := quiet()
			virtual(t, PoolOptions{MaxSize: 1, Observer: o}, func(t *testing.T, b *backend) {
				h := b.acquire()
				b.release(h)
				o.acquired = func(time.Duration) { panics() }
				done := make(chan any, 1)
				go func() {
					defer func() { done <- recover() }()
					b.pool.Acquire(b.ctx)
				}()
				require.Equal(t, name == "panic", <-done != nil, "the panic is the requester's")
				o.acquired = func(time.Duration) {}
				require.Equal(t, 1, b.closed(h.Conn()))
				b.request(b.ctx).served()
			})
		})
	}
}

//poolgen:if observesCreateFailed
func TestTheObserverIsToldOfACreateThatIsGivenUp(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 1, CreateTimeout: time.Second}, func(t *testing.T, b *backend, d *diary) {
		b.creating(deaf(time.Minute))
		b.request(b.ctx).wait().failed()
		require.Len(t, d.createErrors, 1)
		require.ErrorIs(t, d.createErrors[0], context.DeadlineExceeded)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, d.createErrors, 1)
		require.Len(t, d.took, 1, "the late connection, and its end")
		require.Equal(t, map[string]int{"unwanted": 1}, d.reasons())
	})
}

//poolgen:if observesCreateFailed
func TestAnObserverWhoListensForLongIsNotToldAgainThatTheCreateIsGivenUpMeanwhile(t *testing.T) {
	observer := quiet()
	var told []error
	observer.createFailed = func(err error) {
		told = append(told, err)
		time.Sleep(10 * time.Second)
	}
	virtual(t, PoolOptions{MaxSize: 1, CreateTimeout: time.Second, Observer: observer}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		b.request(b.ctx).wait().failed()
		time.Sleep(time.Minute)
		require.Equal(t, []error{errRefused}, told)
	})
}

//poolgen:if observesCheckFailed
func TestTheObserverIsToldOfACheckThatIsGivenUp(t *testing.T) {
	observed(t, PoolOptions{MaxSize: 1, HealthCheckTimeout: time.Second}, func(t *testing.T, b *backend, d *diary) {
		b.release(b.acquire())
		b.allDue()
		b.checking(deaf(time.Minute))
		b.request(b.ctx).wait().served()
		require.Len(t, d.checkErrors, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, d.checkErrors, 1)
	})
}

//poolgen:if observesCreated && observesRetired && hasAfterCreate
func TestTheObserverIsToldOfTheCreateOfEveryConnectionThatIsRetired(t *testing.T) {
	for name, make := range map[string]func(b *backend){
		"the hook after the create fails": func(b *backend) {
			b.set(func() { b.onAfterCreate = fail(errDirty) })
			b.request(b.ctx).failed()
		},
		"it comes with an error": func(b *backend) {
			usual := b.pool.context.create
			b.pool.context.create = func(ctx context.Context) (*Conn, error) {
				c, _ := usual(ctx)
				return c, errRefused
			}
			b.request(b.ctx).failed()
			b.pool.context.create = usual
		},
		"it is inserted": func(b *backend) {
			require.NoError(b, b.pool.Insert(b.connect(b.ctx, nil)))
			b.acquire().Discard()
		},
	} {
		t.Run(name, func(t *testing.T) {
			observed(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend, d *diary) {
				make(b)
				require.Len(t, slices.Collect(maps.Keys(d.reasons())), 1)
				require.Len(t, d.took, 1)
				require.Equal(t, uint64(len(d.took)), b.pool.Stats().Created)
				require.True(t, name == "it is inserted" || errors.Is(b.pool.Stats().LastError, d.createErrors[0]))
			})
		})
	}
}

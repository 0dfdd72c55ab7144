package pool

import (
	"bytes"
	"context"
	"maps"
	"math/rand/v2"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// notes are the names of hooks, in the order in which they were called.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) note(name string) script {
	return func(context.Context, *Conn) error {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.list = append(n.list, name)
		return nil
	}
}

// taken returns the notes since it was called last.
func (n *notes) taken() []string {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.list
	n.list = nil
	return list
}

// everyHook has one script for each hook of the backend.
func (b *backend) everyHook(of func(hook string) script) {
	b.creating(of("create"))
	b.afterCreating(of("after create"))
	b.beforeAcquiring(of("before acquire"))
	needs, broken := of("needs check"), of("broken")
	b.needing(func(c *Conn) bool { return needs(b.ctx, c) == nil })
	b.breaking(func(c *Conn) bool { return broken(b.ctx, c) != nil })
	b.checking(of("check"))
	b.afterReleasing(of("after release"))
	b.resetting(of("reset"))
	b.beforeClosing(of("before close"))
	b.closing(of("close"))
}

func TestHOK01TheOrderOfHooksIsFixed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		var n notes
		b.everyHook(n.note)
		h := b.acquire()
		want := []string{"create"}
		want = append(want, "after create")   //poolgen:if hasAfterCreate
		want = append(want, "before acquire") //poolgen:if hasBeforeAcquire
		require.Equal(t, want, n.taken(), "a new connection")

		b.release(h)
		want = nil
		want = append(want, "broken")        //poolgen:if hasBroken
		want = append(want, "after release") //poolgen:if hasAfterRelease
		want = append(want, "reset")         //poolgen:if resetsHere
		want = append(want, "reset")         //poolgen:if resetsAway
		require.Equal(t, want, n.taken(), "a release")

		h = b.acquire()
		want = nil
		want = append(want, "needs check")    //poolgen:if hasNeeds
		want = append(want, "check")          //poolgen:if hasCheck
		want = append(want, "before acquire") //poolgen:if hasBeforeAcquire
		require.Equal(t, want, n.taken(), "a used connection")

		h.Discard()
		want = nil
		want = append(want, "before close") //poolgen:if hasBeforeClose && hasClose
		want = append(want, "close")        //poolgen:if hasClose
		require.Equal(t, want, n.taken(), "the end")
	})
}

//poolgen:if hasAfterCreate
func TestHOK02TheHookAfterTheCreateIsCalledOnceForEachConnectionBeforeItsFirstLease(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		var mu sync.Mutex
		calls := map[*Conn]int{}
		b.afterCreating(take(time.Second).then(func(_ context.Context, c *Conn) error {
			mu.Lock()
			defer mu.Unlock()
			calls[c]++
			return nil
		}))
		for range 4 {
			for _, r := range b.requests(3) {
				h := r.wait().served()
				mu.Lock()
				n := calls[h.Conn()]
				mu.Unlock()
				require.Equal(t, 1, n)
				h.Release()
			}
			b.acquire().Discard()
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Len(t, calls, len(b.conns))
	})
}

// A hook says nothing, or returns an error; the error is the requester's only if the connection is new, as
// then there is none to be had.
//
//poolgen:if hasBeforeAcquire
func TestHOK03WhatTheHookBeforeALeaseSaysIsHeeded(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		used := b.acquire()
		b.release(used)
		require.Same(t, used.Conn(), b.request(b.ctx).served().Conn(), "it may be leased")
		b.releaseAll()
		b.beforeAcquiring(only(used.Conn(), fail(errDirty)))
		replaced := b.request(b.ctx).served()
		require.Equal(t, 1, b.closed(used.Conn()), "it may not: another one is")
		replaced.Discard()
		b.beforeAcquiring(fail(errDirty))
		require.ErrorIs(t, b.request(b.ctx).failed(), errDirty, "a new one may not")
		b.left(0)
		b.beforeAcquiring(succeed)
		b.request(b.ctx).served()
	})
}

//poolgen:if hasAfterRelease
func TestHOK04AConnectionThatTheHookAfterItsReleaseRefusesIsClosed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		held := b.acquireAll(2)
		b.afterReleasing(only(held[0].Conn(), fail(errDirty)))
		b.release(held...)
		require.Equal(t, 1, b.closed(held[0].Conn()))
		require.Zero(t, b.closed(held[1].Conn()))
	})
}

//poolgen:if hasBeforeClose && hasClose
func TestHOK05TheHookBeforeTheCloseIsCalledOnceForEveryConnectionWhateverTheReason(t *testing.T) {
	for range int(stressTime() / (500 * time.Millisecond)) {
		calls := map[*Conn]int{}
		var of *backend
		virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
			of = b
			b.overflows = true
			b.chaos(10, time.Second/2)
			var mu sync.Mutex
			b.beforeClosing(func(_ context.Context, c *Conn) error {
				mu.Lock()
				defer mu.Unlock()
				if calls[c]++; calls[c] > 1 {
					b.violation("twice before the close of connection %d", c.id)
				}
				b.set(func() { b.untouched("before close", c) })
				if rand.IntN(10) == 0 {
					panic("oh no")
				}
				return nil
			})
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					for range 30 {
						b.user(5 * time.Second)
					}
				})
			}
			all.Wait()
			b.pool.Reset() //poolgen:if hasReset
			b.heal(&b.onBeforeClose)
			b.pool.Close(b.ctx)
		})
		for c, a := range of.conns {
			if want := a.closes; calls[c] != want {
				t.Errorf("%d calls for connection %d, closed %d times", calls[c], c.id, want)
			}
		}
	}
}

func TestHOK06EveryHookMayUseThePool(t *testing.T) {
	use := func(b *backend) {
		b.whole()
		ctx, cancel := context.WithTimeout(b.ctx, time.Millisecond)
		defer cancel()
		if lease, err := b.pool.Acquire(ctx); err == nil {
			lease.Release()
		}
	}
	for name, call := range map[string]func(b *backend){
		"acquire": use,
		"stats":   (*backend).whole,
		"reset":   func(b *backend) { b.pool.Reset() },                                          //poolgen:if hasReset
		"resize":  func(b *backend) { _ = b.pool.Resize(3) },                                    //poolgen:if hasResize
		"retain":  func(b *backend) { b.pool.Retain(func(*Conn) bool { use(b); return true }) }, //poolgen:if hasRetain
		"close":   func(b *backend) { b.closePool(time.Millisecond) },
	} {
		for _, hook := range []string{"create", "after create", "before acquire", "needs check", "broken", "check", "after release", "reset", "before close", "close"} {
			t.Run(name+" in "+hook, func(t *testing.T) {
				virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
					b.release(b.acquireAll(2)...)
					var calls atomic.Int64
					b.everyHook(func(h string) script {
						return func(context.Context, *Conn) error {
							if h == hook && calls.Add(1) == 1 { // else its own acquire would call it again, and so on
								call(b)
							}
							return nil
						}
					})
					for range 2 {
						for _, r := range b.requests(3) {
							if r.wait().err == nil && name != "close" {
								r.held.Release()
							}
						}
					}
					b.releaseAll()
					time.Sleep(time.Minute)
					if lease, err := b.pool.Acquire(b.ctx); err == nil {
						lease.Discard()
					}
					time.Sleep(time.Minute)
				})
			})
		}
	}
}

//poolgen:if hasAfterCreate && hasBeforeAcquire && hasAfterRelease
func TestHOK07AnErrorOfAHookEndsACreateButAUsedConnectionIsReplaced(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.afterCreating(inTurn(fail(errDirty), succeed))
		require.ErrorIs(t, b.request(b.ctx).failed(), errDirty, "after the create")
		for name, refuse := range map[string]func(c *Conn){
			"before the lease":  func(c *Conn) { b.beforeAcquiring(only(c, fail(errDirty))) },
			"after the release": func(c *Conn) { b.afterReleasing(only(c, fail(errDirty))) },
		} {
			h := b.acquire()
			refuse(h.Conn())
			b.release(h)
			again := b.request(b.ctx).served()
			require.NotSame(t, h.Conn(), again.Conn(), name)
			b.release(again)
		}
	})
}

//poolgen:if observesCreated && observesCreateFailed && observesAcquired && observesAcquireFailed && observesReleased && observesRetired && observesCheckFailed && hasStats && hasTry && hasOutside && hasDetach
func TestHOK08TheEventsBalance(t *testing.T) {
	for range int(stressTime() / (300 * time.Millisecond)) {
		var of *backend
		var requests, discards, detaches atomic.Int64
		d := newDiary()
		options := PoolOptions{MaxSize: 1 + rand.IntN(5), MaxWaiters: 10, Observer: d.observer(), CreateTimeout: time.Minute, HealthCheckTimeout: time.Minute}
		virtual(t, options, func(t *testing.T, b *backend) {
			of = b
			b.overflows = true
			b.chaos(10, time.Second/2)
			b.needing(func(*Conn) bool { return rand.IntN(3) == 0 }) // if it panicked, that would be another reason for "unhealthy"
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					for range 30 {
						ctx, cancel := context.WithTimeout(b.ctx, rand.N(2*time.Second))
						acquire := []func(context.Context) (Lease, error){b.pool.Acquire, b.pool.TryAcquire, b.pool.AcquireOrCreate}[rand.IntN(3)]
						requests.Add(1)
						lease, err := acquire(ctx)
						if cancel(); err != nil {
							continue
						}
						h := b.hold(lease)
						time.Sleep(rand.N(time.Second / 2))
						switch rand.IntN(10) {
						case 0:
							discards.Add(1)
							h.Discard()
						case 1:
							detaches.Add(1)
							h.Detach()
						default:
							h.Release()
						}
						h.Lease.Release() // a stale copy
					}
				})
			}
			all.Wait()
			time.Sleep(time.Minute)
			require.NoError(t, b.pool.Close(b.ctx))
			synctest.Wait()

			s := b.pool.Stats()
			created, acquired := len(d.took), len(d.waited)
			retired := 0
			for _, n := range d.retired {
				retired += n
			}
			require.Equal(t, b.creates, created+len(d.createErrors), "creates")
			require.Equal(t, int(requests.Load()), acquired+len(d.acquireErrors), "requests")
			require.Equal(t, acquired, d.released+int(discards.Load()+detaches.Load()), "leases")
			require.Equal(t, created, retired+int(detaches.Load()), "connections")
			require.Equal(t, len(d.checkErrors), d.retired["unhealthy"])
			require.Equal(t, int(s.Created), created)
			require.Equal(t, int(s.CreateFailures), len(d.createErrors))
			counts := map[string]int{"unhealthy": int(s.RetiredUnhealthy), "broken": int(s.RetiredBroken), "discarded": int(s.RetiredDiscarded), "unwanted": int(s.RetiredUnwanted)}
			maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
			require.Equal(t, counts, d.retired)
		})
		require.Len(t, of.conns, len(d.took))
	}
}

// A wait is a region of the execution trace, begun and ended in the requester's task. There are no other pairs: the
// events of the observer tell durations and errors, in the requester's goroutine, which knows its context.
//
//poolgen:if hasTrace
func TestHOK09AWaitIsARegionOfTheExecutionTrace(t *testing.T) {
	var log bytes.Buffer
	if err := trace.Start(&log); err != nil {
		t.Skip(err)
	}
	b := newBackend(t, PoolOptions{MaxSize: 1})
	lease, err := b.pool.Acquire(b.ctx)
	trace.Stop()
	require.NoError(t, err)
	lease.Release()
	require.True(t, bytes.Contains(log.Bytes(), []byte("Pool wait")), "for the create")
	b.finish(b.rest)
}

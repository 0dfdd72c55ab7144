package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fleet is a set of pools by key, and the backend of each key.
//
//poolgen:if hasKeyed
type fleet struct {
	*testing.T
	set *Pools

	mu       sync.Mutex // guards all that follows
	backends map[Key]*backend
	refuses  map[Key]error // instead of a context
	thinks   time.Duration // before it gives one
	asked    []Key         // for a context
	open     int           // connections of all keys, those under creation or being closed included
	peak     int
}

// virtualFleet runs a test of a set of pools with virtual time, and afterwards sees whether it is whole.
func virtualFleet(t *testing.T, options PoolsOptions, f func(t *testing.T, f *fleet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fl := newFleet(t, options)
		defer fl.finish(func() { time.Sleep(time.Minute); synctest.Wait() })
		f(t, fl)
	})
}

func newFleet(t *testing.T, options PoolsOptions) *fleet {
	f := &fleet{T: t, backends: map[Key]*backend{}, refuses: map[Key]error{}}
	if options.Pool.Observer == nil {
		options.Pool.Observer = quiet()
	}
	set, err := NewPools(f.contextOf, options)
	require.NoError(t, err)
	f.set = set
	return f
}

func (f *fleet) contextOf(key Key) (Context, error) {
	b := f.on(key)
	time.Sleep(f.thinks)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, key)
	return b.pool.context, f.refuses[key]
}

// on returns the backend of a key. Its own pool is not of the set, and stays empty.
func (f *fleet) on(key Key) *backend {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.backends[key]
	if b != nil {
		return b
	}
	b = newBackend(f.T, PoolOptions{})
	f.backends[key] = b
	server := b.pool.context
	create, closing := server.create, server.close
	server.create = func(ctx context.Context) (c *Conn, err error) {
		f.count(1)
		defer func() {
			if c == nil {
				f.count(-1)
			}
		}()
		return create(ctx)
	}
	server.close = func(ctx context.Context, c *Conn) error {
		defer f.count(-1)
		return closing(ctx, c)
	}
	return b
}

func (f *fleet) count(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open += n
	f.peak = max(f.peak, f.open)
}

// pool returns the pool of a key.
func (f *fleet) pool(key Key) *Pool {
	f.Helper()
	p, err := f.set.Pool(key)
	require.NoError(f, err)
	return p
}

// from is Acquire of a key.
func (f *fleet) from(key Key) func(context.Context) (Lease, error) {
	return func(ctx context.Context) (Lease, error) { return f.set.Acquire(ctx, key) }
}

// acquire leases a connection of a key, which must succeed.
func (f *fleet) acquire(key Key) *held {
	f.Helper()
	b := f.on(key)
	lease, err := f.set.Acquire(b.ctx, key)
	require.NoError(f, err)
	return b.hold(lease)
}

// request has another goroutine acquire a connection of a key.
func (f *fleet) request(key Key) *request {
	b := f.on(key)
	return b.start(b.ctx, f.from(key))
}

// idle gives a key n idle connections.
func (f *fleet) idle(key Key, n int) {
	f.Helper()
	all := make([]*held, n)
	for i := range all {
		all[i] = f.acquire(key)
	}
	f.on(key).release(all...)
}

// has returns how many connections a key has.
func (f *fleet) has(key Key) int {
	synctest.Wait()
	s := f.set.Stats()[key]
	return s.Idle + s.InUse
}

// until waits for a state of the set that lasts, while time stands still.
func (f *fleet) until(reached func() bool) {
	for done := false; !done; runtime.Gosched() {
		f.set.mu.Lock()
		done = reached()
		f.set.mu.Unlock()
	}
}

// busy has n users of a key lease connections for that time, one after another, until the test stops them. It returns
// how often that was, and the longest wait.
func (f *fleet) busy(key Key, n int, use time.Duration) (stop func() (leases int, longest time.Duration)) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var leases int
	var longest time.Duration
	var stopped atomic.Bool
	b := f.on(key)
	for range n {
		all.Go(func() {
			for !stopped.Load() {
				r := b.launch(b.ctx, f.from(key), func(h *held) { time.Sleep(use); h.Release() }).wait()
				mu.Lock()
				leases++
				longest = max(longest, r.took)
				mu.Unlock()
				require.NoError(f, r.err)
			}
		})
	}
	return func() (int, time.Duration) {
		stopped.Store(true)
		all.Wait()
		return leases, longest
	}
}

// finish requires what must be true of the set after every test: no connection of the total is lost, Close closes each
// connection once, and there were never too many.
func (f *fleet) finish(rest func()) {
	for _, b := range f.backends {
		b.heal()
		b.end()
		b.releaseAll()
	}
	rest()
	if f.Failed() {
		f.close(time.Minute)
		return
	}
	if p, err := f.set.Pool("last"); err == nil {
		f.holdsAll(p)
		rest()
	}
	require.NoError(f, f.close(time.Minute))
	rest()
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Zero(f, f.open, "connections after Close")
	require.LessOrEqual(f, f.peak, f.set.options.MaxTotal, "connections at a time")
	for key, b := range f.backends {
		require.NoError(f, b.closePool(time.Second))
		for _, a := range b.conns {
			if !a.gone {
				require.Equal(f, 1, a.closes, "closes of connection %d of %s", a.number, key)
			}
		}
	}
}

// holdsAll requires that one key can have all the connections that the set allows, and that many at the same time.
func (f *fleet) holdsAll(p *Pool) {
	f.Helper()
	n := min(f.set.options.MaxTotal, p.Stats().MaxSize)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var all, holding sync.WaitGroup
	holding.Add(n)
	for range n {
		all.Go(func() {
			lease, err := f.set.Acquire(ctx, "last")
			holding.Done()
			if err != nil {
				f.Errorf("not all of the total can be leased: %v\n%+v", err, f.set.Stats())
				return
			}
			holding.Wait()
			lease.Release()
		})
	}
	all.Wait()
}

func (f *fleet) close(patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return f.set.Close(ctx)
}

//poolgen:if hasKeyed
func TestThePoolOfAKeyIsMadeWhenItIsFirstAskedFor(t *testing.T) {
	virtualFleet(t, PoolsOptions{}, func(t *testing.T, f *fleet) {
		require.Empty(t, f.asked)
		f.acquire("a")
		f.acquire("b")
		f.acquire("a")
		require.Equal(t, []Key{"a", "b"}, f.asked)
		f.on("a").created(2)
		f.on("b").created(1)
		require.Same(t, f.pool("a"), f.pool("a"))
	})
}

//poolgen:if hasKeyed
func TestThoseWhoAskForANewKeyAtTheSameTimeGetOnePool(t *testing.T) {
	virtualFleet(t, PoolsOptions{Pool: PoolOptions{MaxSize: 1}}, func(t *testing.T, f *fleet) {
		f.thinks = time.Second
		first, second := f.request("a"), f.request("a")
		time.Sleep(time.Minute)
		synctest.Wait()
		if first.held == nil {
			first, second = second, first
		}
		h := first.served()
		second.waits()
		f.on("a").release(h)
		require.Same(t, h.Conn(), second.served().Conn())
	})
}

//poolgen:if hasKeyed
func TestAKeyWithoutAContextIsAnErrorOfItsRequesters(t *testing.T) {
	virtualFleet(t, PoolsOptions{}, func(t *testing.T, f *fleet) {
		f.refuses["a"] = errRefused
		require.ErrorIs(t, f.request("a").failed(), errRefused)
		require.Empty(t, f.set.Stats())
		delete(f.refuses, "a")
		f.acquire("a")
	})
}

//poolgen:if hasKeyed
func TestBadOptionsOfASetAreErrorsThatNameTheOption(t *testing.T) {
	for name, options := range map[string]PoolsOptions{
		"PoolsOptions.MaxTotal":     {MaxTotal: -1},
		"PoolsOptions.IdleTimeout":  {IdleTimeout: -time.Second},
		"PoolOptions.CreateTimeout": {Pool: PoolOptions{CreateTimeout: -1}},
	} {
		_, err := NewPools(nil, options)
		require.ErrorContains(t, err, name)
	}
}

//poolgen:if hasKeyed && !fixedSize
func TestAKeyIsBoundedByItsMaxSize(t *testing.T) {
	virtualFleet(t, PoolsOptions{Pool: PoolOptions{MaxSize: 2}, MaxTotal: 10}, func(t *testing.T, f *fleet) {
		f.acquire("a")
		h := f.acquire("a")
		r := f.request("a")
		r.waits()
		f.acquire("b")
		f.on("a").release(h)
		require.Same(t, h.Conn(), r.served().Conn())
	})
}

//poolgen:if hasKeyed && !fixedSize
func TestAllKeysTogetherAreBoundedByMaxTotal(t *testing.T) {
	virtualFleet(t, PoolsOptions{Pool: PoolOptions{MaxSize: 10}, MaxTotal: 4}, func(t *testing.T, f *fleet) {
		held := f.acquire("a")
		f.acquire("a")
		f.acquire("b")
		f.acquire("c")
		r := f.request("d")
		time.Sleep(time.Minute)
		r.waits()
		f.on("a").release(held)
		r.wait().served()
		require.Equal(t, 4, f.open)
	})
}

//poolgen:if hasKeyed
func TestAnIdleConnectionOfAnotherKeyMakesRoomAtOnce(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 3}, func(t *testing.T, f *fleet) {
		f.idle("a", 3)
		r := f.request("b")
		r.served()
		require.Zero(t, r.took)
		require.Equal(t, 2, f.has("a"), "and no more than is needed")
		require.EqualValues(t, 1, f.set.Stats()["a"].RetiredSurplus)
		f.request("b").served()
		f.request("b").served()
		require.Zero(t, f.has("a"))
	})
}

//poolgen:if hasKeyed
func TestAConnectionThatFallsIdleMakesRoom(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
		f.acquire("a")
		h := f.acquire("a")
		r := f.request("b")
		time.Sleep(time.Second)
		h.Release()
		r.wait().served()
		within(t, time.Second, time.Second+20*time.Millisecond, r.took, "making room")
		require.Equal(t, 1, f.has("a"))
	})
}

//poolgen:if hasKeyed
func TestAConnectionThatIsGoneMakesRoom(t *testing.T) {
	for name, end := range map[string]func(*held){"discarded": (*held).Discard, "detached": func(h *held) { h.Detach() }} {
		t.Run(name, func(t *testing.T) {
			virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
				f.acquire("a")
				h := f.acquire("a")
				r := f.request("b")
				if name == "detached" {
					f.count(-1) // it is none of the set's from now on
				}
				end(h)
				r.served()
			})
		})
	}
}

//poolgen:if hasKeyed
func TestNothingIsRetiredForThoseWhoHaveGivenUp(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
		f.acquire("a")
		h := f.acquire("a")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r := f.on("b").start(ctx, f.from("b")).wait()
		require.ErrorIs(t, r.failed(), context.DeadlineExceeded)
		time.Sleep(time.Second)
		f.on("a").release(h)
		time.Sleep(time.Minute)
		require.Equal(t, 2, f.has("a"))
		require.Zero(t, f.set.Stats()["a"].RetiredSurplus)
	})
}

//poolgen:if hasKeyed && hasWarm && hasInsert
func TestOnlyRequestersMakeOthersMakeRoom(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
		f.idle("a", 2)
		require.ErrorIs(t, f.pool("b").Warm(context.Background(), 1, nil), ErrPoolExhausted)
		b := f.on("b")
		require.ErrorIs(t, f.pool("b").Insert(b.connect(b.ctx, nil)), ErrPoolExhausted)
		f.count(1) // the close will take it off
		time.Sleep(time.Second)
		require.Equal(t, 2, f.has("a"))
		f.peak = 2 // without the inserted one, which was never the set's
	})
}

//poolgen:if hasKeyed && hasIdle
func TestTheMinIdleOfTwoKeysDoNotFightForTheTotal(t *testing.T) {
	virtualFleet(t, PoolsOptions{Pool: PoolOptions{MinIdle: 2}, MaxTotal: 3}, func(t *testing.T, f *fleet) {
		f.pool("a")
		f.pool("b")
		time.Sleep(5 * time.Minute)
		require.Equal(t, 3, f.has("a")+f.has("b"))
		f.mu.Lock()
		defer f.mu.Unlock()
		require.Equal(t, 3, len(f.backends["a"].conns)+len(f.backends["b"].conns), "nobody takes them from the other")
	})
}

//poolgen:if hasKeyed
func TestABusyKeyMakesRoomForOneThatHasNothing(t *testing.T) {
	for _, users := range []int{2, 10} {
		t.Run(fmt.Sprint(users, " users"), func(t *testing.T) {
			virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
				stop := f.busy("a", users, 3*time.Millisecond)
				time.Sleep(time.Second)
				r := f.request("b").wait()
				r.served()
				require.LessOrEqual(t, r.took, 50*time.Millisecond)
				stop()
			})
		})
	}
}

//poolgen:if hasKeyed
func TestALeaseThatLastsForEverDoesNotKeepRoomFromOthers(t *testing.T) {
	virtualFleet(t, PoolsOptions{Pool: PoolOptions{MaxSize: 10}, MaxTotal: 8}, func(t *testing.T, f *fleet) {
		for range 4 {
			f.acquire("a")
		}
		busy := []func() (int, time.Duration){f.busy("b", 10, 3*time.Millisecond), f.busy("c", 10, 3*time.Millisecond)}
		time.Sleep(time.Second)
		r := f.request("d").wait()
		r.served()
		require.LessOrEqual(t, r.took, 100*time.Millisecond)
		for _, stop := range busy {
			stop()
		}
	})
}

//poolgen:if hasKeyed && !fixedSize
func TestTwoBusyKeysComeToEqualSharesAndStayThere(t *testing.T) {
	virtualFleet(t, PoolsOptions{Pool: PoolOptions{MaxSize: 20}, MaxTotal: 10}, func(t *testing.T, f *fleet) {
		f.on("a").creating(take(20 * time.Millisecond))
		f.on("b").creating(take(20 * time.Millisecond))
		first := f.busy("a", 30, 100*time.Millisecond)
		time.Sleep(time.Second)
		require.Equal(t, 10, f.has("a"))
		second := f.busy("b", 30, 100*time.Millisecond)
		time.Sleep(10 * time.Second)
		creates := func() int { return len(f.on("a").conns) + len(f.on("b").conns) }
		before := creates()
		within(t, 4, 6, time.Duration(f.has("a")), "the share of a")
		time.Sleep(30 * time.Second)
		require.Equal(t, before, creates(), "nobody takes connections from the other")
		first()
		second()
	})
}

//poolgen:if hasKeyed
func TestMoreBusyKeysThanConnectionsTakeTurns(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
		var busy []func() (int, time.Duration)
		for i := range 6 {
			f.on(fmt.Sprint(i)).creating(take(5 * time.Millisecond))
			busy = append(busy, f.busy(fmt.Sprint(i), 2, time.Millisecond))
		}
		time.Sleep(10 * time.Second)
		for _, stop := range busy {
			leases, longest := stop()
			require.Greater(t, leases, 200)
			require.LessOrEqual(t, longest, time.Second)
		}
	})
}

//poolgen:if hasKeyed
func TestThoseWhoStarveAreFedInTheOrderTheyCame(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 1}, func(t *testing.T, f *fleet) {
		h := f.acquire("a")
		var all []*request
		for i := range 10 {
			all = append(all, f.request(fmt.Sprint(i)))
			time.Sleep(time.Millisecond)
		}
		for i, r := range all {
			h.Release()
			h = r.wait().served()
			for _, later := range all[i+1:] {
				later.waits()
			}
		}
	})
}

//poolgen:if hasKeyed
func TestANewcomerDoesNotOvertakeAKeyThatStarves(t *testing.T) {
	for range 100 {
		virtualFleet(t, PoolsOptions{MaxTotal: 1}, func(t *testing.T, f *fleet) {
			h := f.acquire("a")
			first := f.request("b")
			time.AfterFunc(time.Second, h.Discard)
			b := f.on("c")
			later := b.launch(b.ctx, func(ctx context.Context) (Lease, error) {
				time.Sleep(time.Second)
				return f.set.Acquire(ctx, "c")
			}, nil)
			time.Sleep(2 * time.Second)
			first.served()
			require.Equal(t, time.Second, first.took)
			later.waits()
		})
	}
}

// The same where it matters: the connection is offered to the one that starves, which is slow to take it.
//
//poolgen:if hasKeyed
func TestANewcomerDoesNotTakeWhatIsOfferedToAKeyThatStarves(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 1}, func(t *testing.T, f *fleet) {
		h := f.acquire("a")
		first := f.request("b")
		first.waits()
		slow := f.pool("b")
		slow.mu.Lock()
		h.Discard()
		f.until(func() bool { return f.set.total == 0 })
		go f.set.feed()
		f.until(func() bool { return f.set.turn == slow })
		later := f.on("c").launch(context.Background(), f.from("c"), nil)
		c := f.pool("c")
		f.until(func() bool { return f.set.total > 0 || slices.Contains(f.set.starving, c) })
		slow.mu.Unlock()
		h = first.served()
		later.waits()
		h.Release()
		later.wait().served().Release()
	})
}

//poolgen:if hasKeyed && hasTry && hasOutside
func TestWhoWontWaitDoesNotWaitForOtherKeys(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
		h := f.acquire("a")
		f.acquire("a")
		b := f.on("b")
		require.ErrorIs(t, b.start(b.ctx, f.pool("b").TryAcquire).failed(), ErrPoolExhausted)
		fresh := b.start(b.ctx, f.pool("b").AcquireOrCreate).served()
		require.True(t, fresh.Fresh())
		b.release(fresh)
		f.on("a").release(h)
		b.start(b.ctx, f.pool("b").TryAcquire).served() // for which the idle one of a makes room
		f.peak = 2                                      // without the one outside
	})
}

//poolgen:if hasKeyed && hasLimits && !fixedSize
func TestMaxWaitersHoldsWhereTheTotalIsLess(t *testing.T) {
	virtualFleet(t, PoolsOptions{Pool: PoolOptions{MaxSize: 4, MaxWaiters: 1}, MaxTotal: 2}, func(t *testing.T, f *fleet) {
		f.acquire("a")
		f.acquire("a")
		f.request("b").waits()
		require.ErrorIs(t, f.request("b").failed(), ErrPoolExhausted)
	})
}

// Connections of a pool that is about to end are the set's all the same.
//
//poolgen:if hasKeyed && hasDrain
func TestIdleConnectionsOfAPoolThatDrainsMakeRoom(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
		h := f.acquire("a")
		f.acquire("a").Release()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, f.pool("a").Drain(ctx), context.DeadlineExceeded)
		r := f.request("a")
		r.served()
		require.Zero(t, r.took)
		h.Release()
	})
}

// The set waits in the queue of a for a connection that is gone before it is the set's turn.
//
//poolgen:if hasKeyed && hasDrain
func TestASetThatWaitsInAPoolDoesNotKeepItFromDraining(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
		a, _ := f.acquire("a"), f.acquire("b")
		c, d := f.request("c"), f.request("d")
		time.Sleep(time.Second)
		p := f.pool("a")
		drained := make(chan error, 1)
		go func() { drained <- p.Drain(f.on("a").ctx) }()
		synctest.Wait()
		a.Discard()
		c.wait().served()
		time.Sleep(time.Second)
		d.waits()
		select {
		case err := <-drained:
			require.NoError(t, err)
		default:
			require.Fail(t, "the pool still drains", "%+v", p.Stats())
		}
	})
}

//poolgen:if hasKeyed
func TestTheSetDoesNotTakeWhatAKeyHasGotInItsTurn(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 1}, func(t *testing.T, f *fleet) {
		h := f.acquire("a")
		b, c := f.request("b"), f.request("c")
		time.Sleep(time.Second) // the set waits in a's queue for somebody else
		h.Discard()
		h = b.wait().served()
		time.Sleep(time.Second)
		a, last := f.request("a"), f.request("b")
		h.Discard()
		h = c.wait().served()
		h.Discard()
		h = a.wait().served()
		last.waits()
		h.Discard()
		last.wait().served()
		f.on("a").created(2)
	})
}

//poolgen:if hasKeyed && !fixedSize
func TestAKeyThatStarvesAloneKeepsWhatItHas(t *testing.T) {
	virtualFleet(t, PoolsOptions{Pool: PoolOptions{MaxSize: 4}, MaxTotal: 2}, func(t *testing.T, f *fleet) {
		first, second := f.acquire("a"), f.acquire("a")
		third := f.request("a")
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		other := f.on("b").start(ctx, f.from("b"))
		fourth := f.request("a")
		require.ErrorIs(t, other.wait().failed(), context.DeadlineExceeded) // after the set has joined a's queue
		last := f.request("a")
		time.Sleep(time.Second)
		f.on("a").release(first, second)
		f.on("a").release(third.served(), fourth.served())
		last.served()
		require.Equal(t, 2, f.has("a"))
	})
}

// It has to look, though, but in a way that nobody notices.
//
//poolgen:if hasKeyed
func TestASetThatNeedsNothingTakesNothing(t *testing.T) {
	f := newFleet(t, PoolsOptions{MaxTotal: 10})
	f.acquire("a").Release()
	p := f.pool("a")
	for p.Stats().Idle == 0 { // it is being reset
		time.Sleep(time.Millisecond)
	}
	var looking sync.WaitGroup
	var stop atomic.Bool
	looking.Go(func() {
		for !stop.Load() {
			f.set.reclaim(p)
		}
	})
	for begun := time.Now(); time.Since(begun) < 50*time.Millisecond; {
		place := p.take()
		if place == nil {
			t.Error("an idle connection was not there for a moment")
			break
		}
		place.turn.Add(1)
	}
	stop.Store(true)
	looking.Wait()
	f.finish(func() { time.Sleep(50 * time.Millisecond) })
}

//poolgen:if hasKeyed && hasWarm && hasInsert && hasIdle
func TestNobodyStarvesWithoutARequester(t *testing.T) {
	virtualFleet(t, PoolsOptions{Pool: PoolOptions{MinIdle: 1}, MaxTotal: 2}, func(t *testing.T, f *fleet) {
		f.idle("a", 2)
		p := f.pool("b")
		f.set.reclaim(f.pool("a")) // as a set would that looks for others at this time
		require.ErrorIs(t, p.Warm(context.Background(), 1, nil), ErrPoolExhausted)
		f.set.reclaim(f.pool("a"))
		p.upkeep()
		f.set.reclaim(f.pool("a"))
		require.Equal(t, 2, f.has("a"))
	})
}

// In real time, as a goroutine that waits for a mutex holds up virtual time.
//
//poolgen:if hasKeyed && !fixedSize
func TestTheSetLooksForRoomInOneGoroutine(t *testing.T) {
	f := newFleet(t, PoolsOptions{Pool: PoolOptions{MaxSize: 30}, MaxTotal: 30})
	var held []*held
	for range 30 {
		held = append(held, f.acquire("a"))
	}
	r := f.on("b").launch(f.on("b").ctx, f.from("b"), nil)
	time.Sleep(20 * time.Millisecond)
	slow := f.pool("c")
	slow.mu.Lock()
	time.Sleep(20 * time.Millisecond) // the set is held up there
	for _, h := range held {
		h.Discard()
		time.Sleep(time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	slow.mu.Unlock()
	require.LessOrEqual(t, strings.Count(string(stacks), ").feed("), 1)
	require.NoError(t, r.wait().err)
	r.held.Release()
	f.finish(func() { time.Sleep(50 * time.Millisecond) })
}

//poolgen:if hasKeyed
func TestAKeyThatNobodyAsksForIsForgotten(t *testing.T) {
	virtualFleet(t, PoolsOptions{IdleTimeout: time.Minute}, func(t *testing.T, f *fleet) {
		f.idle("a", 2)
		p := f.pool("a")
		time.Sleep(59 * time.Second)
		require.Len(t, f.set.Stats(), 1)
		time.Sleep(62 * time.Second)
		require.Empty(t, f.set.Stats())
		f.on("a").left(0)
		_, err := p.Acquire(context.Background())
		require.ErrorIs(t, err, ErrPoolClosed)
		f.acquire("a")
		require.Equal(t, []Key{"a", "a"}, f.asked)
	})
}

//poolgen:if hasKeyed
func TestAKeyThatIsUsedIsNotForgotten(t *testing.T) {
	virtualFleet(t, PoolsOptions{IdleTimeout: time.Minute}, func(t *testing.T, f *fleet) {
		f.acquire("leased")
		f.on("failing").creating(fail(errRefused))
		for range 20 {
			f.idle("used", 1)
			f.request("failing").failed()
			time.Sleep(30 * time.Second)
		}
		require.Len(t, f.set.Stats(), 3)
		require.Len(t, f.asked, 3)
	})
}

//poolgen:if hasKeyed && hasBreaker
func TestAKeyThatIsEjectedIsNotForgottenMeanwhile(t *testing.T) {
	options := PoolsOptions{Pool: PoolOptions{BreakAfter: 2, BreakTime: time.Hour}, IdleTimeout: time.Minute}
	virtualFleet(t, options, func(t *testing.T, f *fleet) {
		f.on("a").creating(fail(errRefused))
		for range 30 {
			require.ErrorIs(t, f.request("a").failed(), errRefused)
			time.Sleep(10 * time.Second)
		}
		f.on("a").created(2)
		time.Sleep(2 * time.Hour)
		require.Empty(t, f.set.Stats(), "but it is afterwards")
	})
}

//poolgen:if hasKeyed && hasAfterRelease
func TestAKeyIsNotForgottenIfTheSetHasLookedDuringARelease(t *testing.T) {
	virtualFleet(t, PoolsOptions{IdleTimeout: time.Minute}, func(t *testing.T, f *fleet) {
		h := f.acquire("a")
		f.on("a").afterReleasing(inTurn(take(2*time.Second), succeed))
		time.Sleep(59 * time.Second)
		h.Release()
		time.Sleep(30 * time.Second)
		f.idle("a", 1)
		time.Sleep(30 * time.Second)
		require.Len(t, f.set.Stats(), 1)
	})
}

//poolgen:if hasKeyed
func TestNobodyNoticesThatAKeyIsForgotten(t *testing.T) {
	f := newFleet(t, PoolsOptions{IdleTimeout: 50 * time.Microsecond})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				f.acquire("a").Release()
				time.Sleep(rand.N(300 * time.Microsecond))
			}
		})
	}
	all.Wait()
	require.Greater(t, len(f.asked), 1, "it was")
	f.finish(func() { time.Sleep(50 * time.Millisecond) })
}

//poolgen:if hasKeyed
func TestAKeyWhosePoolSomebodyHasClosedGetsANewOne(t *testing.T) {
	for name, end := range map[string]func(*Pool, context.Context) error{"close": (*Pool).Close, "drain": (*Pool).Drain} {
		t.Run(name, func(t *testing.T) {
			virtualFleet(t, PoolsOptions{}, func(t *testing.T, f *fleet) {
				h := f.acquire("a")
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				p := f.pool("a")
				require.Error(t, end(p, ctx))
				require.True(t, p != f.pool("a"), "it is another pool")
				f.acquire("a").Release()
				require.Error(t, f.close(time.Second), "the connection of the old one is still out")
				f.on("a").release(h)
				require.NoError(t, f.close(time.Second))
			})
		})
	}
}

//poolgen:if hasKeyed
func TestAnErrorOfAHookThatSaysClosedIsNotTheSets(t *testing.T) {
	virtualFleet(t, PoolsOptions{}, func(t *testing.T, f *fleet) {
		f.on("a").creating(fail(fmt.Errorf("of the pool below: %w", ErrPoolClosed)))
		require.ErrorIs(t, f.request("a").failed(), ErrPoolClosed)
		f.on("a").created(1)
	})
}

//poolgen:if hasKeyed
func TestStatsByKey(t *testing.T) {
	virtualFleet(t, PoolsOptions{}, func(t *testing.T, f *fleet) {
		f.idle("a", 2)
		f.acquire("b")
		st := f.set.Stats()
		require.Len(t, st, 2)
		require.Equal(t, 2, st["a"].Idle)
		require.Zero(t, st["a"].InUse)
		require.Equal(t, 1, st["b"].InUse)
		require.Equal(t, f.pool("b").Stats(), st["b"])
	})
}

//poolgen:if hasKeyed && hasBreaker
func TestAKeyWhoseCreatesFailIsEjectedAndReadmittedByOneProbe(t *testing.T) {
	options := PoolsOptions{Pool: PoolOptions{BreakAfter: 3, BreakTime: 10 * time.Second}, MaxTotal: 8}
	virtualFleet(t, options, func(t *testing.T, f *fleet) {
		bad := f.on("bad")
		bad.creating(fail(errRefused))
		for range 3 {
			require.ErrorIs(t, f.request("bad").failed(), errRefused)
		}
		for range 20 {
			require.ErrorIs(t, f.request("bad").failed(), errRefused, "at once, with the last error")
		}
		bad.created(3)
		for range 3 {
			f.request("good").served()
		}

		time.Sleep(10 * time.Second)
		bad.creating(take(time.Second).then(fail(errRefused)))
		probe := f.request("bad")
		for range 5 {
			f.request("bad").failed()
		}
		bad.created(4)
		probe.wait().failed()
		require.ErrorIs(t, f.request("bad").failed(), errRefused, "for another while")
		bad.created(4)

		bad.heal()
		time.Sleep(10 * time.Second)
		for range 3 {
			f.request("bad").served()
		}
	})
}

//poolgen:if hasKeyed
func TestCloseOfASetClosesThePoolsOfAllKeys(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 3}, func(t *testing.T, f *fleet) {
		f.idle("a", 1)
		held := []*held{f.acquire("b"), f.acquire("c")}
		waits := []*request{f.request("b"), f.request("d"), f.request("d")}
		waits[0].served().Release() // by the room that a made
		time.Sleep(time.Second)
		waits[1].wait().served().Release()
		waits[2].wait().served().Release()
		f.acquire("d")
		last := f.request("e")
		require.ErrorContains(t, f.close(time.Second), "in use")
		require.ErrorIs(t, last.failed(), ErrPoolClosed)
		require.ErrorIs(t, f.request("a").failed(), ErrPoolClosed)
		_, err := f.set.Pool("f")
		require.ErrorIs(t, err, ErrPoolClosed)
		for _, h := range held {
			h.Release()
		}
		f.on("d").releaseAll()
		require.NoError(t, f.close(time.Second), "Close may be called again")
	})
}

//poolgen:if hasKeyed
func TestASetThatIsClosedLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, PoolsOptions{MaxTotal: 2})
		stop := f.busy("a", 3, time.Millisecond)
		f.request("b").wait().served().Release()
		stop()
		require.NoError(t, f.close(time.Minute))
		require.Zero(t, f.open)
		for _, b := range f.backends {
			require.NoError(t, b.closePool(time.Minute))
			b.end()
		}
	}) // the end of which proves it
}

//poolgen:if hasKeyed
func TestManyUsersOfManyKeys(t *testing.T) {
	f := newFleet(t, PoolsOptions{Pool: PoolOptions{MaxSize: 4, HealthCheckTimeout: time.Minute, CreateTimeout: time.Minute}, MaxTotal: 7, IdleTimeout: 20 * time.Millisecond})
	var all sync.WaitGroup
	var stop atomic.Bool
	served := make([]atomic.Int64, 6)
	for i := range 60 {
		key := i % len(served)
		b := f.on(fmt.Sprint(key))
		b.chaos(30, 2*time.Millisecond)
		all.Go(func() {
			for !stop.Load() {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				begun := time.Now()
				lease, err := f.set.Acquire(ctx, fmt.Sprint(key))
				cancel()
				if took := time.Since(begun); took > 10*time.Second {
					f.Errorf("a requester starved for %v: %v", took, err)
				}
				if err != nil {
					continue
				}
				h := b.hold(lease)
				time.Sleep(rand.N(time.Millisecond))
				if rand.IntN(10) == 0 {
					h.Discard()
				} else {
					h.Release()
				}
				served[key].Add(1)
			}
		})
	}
	time.Sleep(stressTime() / 2)
	stop.Store(true)
	all.Wait()
	for key := range served {
		require.Positive(t, served[key].Load(), "key %d", key)
	}
	f.finish(func() {
		for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(time.Millisecond) {
			if busy := slices.ContainsFunc(f.stats(), func(s PoolStats) bool { return s.Idle+s.Vacant < s.MaxSize || s.Waiting+s.Fresh > 0 }); !busy {
				return
			}
		}
	})
}

func (f *fleet) stats() (all []PoolStats) {
	for _, s := range f.set.Stats() {
		all = append(all, s)
	}
	return all
}

// The same in virtual time, with keys that come and go, requesters without patience, and pools with which somebody does
// all that can be done with one.
//
//poolgen:if hasKeyed && hasDrain && hasWarm && hasResize && hasReset && hasRetain
func TestManyUsersOfManyKeysInVirtualTime(t *testing.T) {
	for range int(stressTime() / (300 * time.Millisecond)) {
		options := PoolsOptions{Pool: PoolOptions{MaxSize: 1 + rand.IntN(6), MinIdle: rand.IntN(2), BreakAfter: rand.IntN(3), MaxConcurrentCreates: rand.IntN(3)}, MaxTotal: 1 + rand.IntN(8), IdleTimeout: time.Second}
		virtualFleet(t, options, func(t *testing.T, f *fleet) {
			var all sync.WaitGroup
			for i := range 40 {
				key := fmt.Sprint(i % 5)
				b := f.on(key)
				b.chaos(20, time.Second/2)
				all.Go(func() {
					for range 40 {
						ctx, cancel := context.WithTimeout(context.Background(), rand.N(10*time.Second))
						f.meddle(ctx, key)
						lease, err := f.set.Acquire(ctx, key)
						cancel()
						if err != nil {
							if errors.Is(err, ErrPoolClosed) {
								f.Errorf("a requester got %v", err)
							}
							continue
						}
						h := b.hold(lease)
						time.Sleep(rand.N(100 * time.Millisecond))
						if rand.IntN(10) == 0 {
							h.Discard()
						} else {
							h.Release()
						}
					}
				})
			}
			all.Wait()
			time.Sleep(10 * time.Second) // which ends what the breakers have begun
			f.rests()
		})
	}
}

// meddle does, now and then, something with the pool of a key, whatever comes of it.
func (f *fleet) meddle(ctx context.Context, key Key) {
	p, err := f.set.Pool(key)
	if err != nil {
		return
	}
	switch rand.IntN(40) {
	case 0:
		_ = p.Close(ctx)
	case 1:
		_ = p.Drain(ctx)
	case 2:
		_ = p.Warm(ctx, 1+rand.IntN(3), nil)
	case 3:
		_ = p.Resize(1 + rand.IntN(6))
	case 4:
		p.Reset()
	case 5:
		p.Retain(func(*Conn) bool { return rand.IntN(2) == 0 })
	}
}

// rests requires that the set's own accounts are in order when nobody asks it for anything.
func (f *fleet) rests() {
	f.Helper()
	synctest.Wait()
	total := 0
	for _, p := range f.set.all() {
		s := p.Stats()
		total += s.MaxSize - s.Vacant
	}
	f.set.mu.Lock()
	defer f.set.mu.Unlock()
	require.Equal(f, total, f.set.total, "the total")
	require.Empty(f, f.set.starving)
	require.Empty(f, f.set.hungry)
	require.Empty(f, f.set.claims)
	require.Zero(f, f.set.coming, "what is being retired")
	require.Nil(f, f.set.turn)
}

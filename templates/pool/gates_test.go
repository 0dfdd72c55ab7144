package pool

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// gate is a hook that misbehaves once, and how a connection gets to it.
type gate struct {
	name string
	set  func(*backend, script)
	lead func(g *gated)
	own  bool // the hook runs in the goroutine of who calls the pool, which is the hook's for as long as it takes
	ctx  bool // it has a context
	veto bool // a connection for which it does not succeed must not be used again
	any  bool // the first requester may ask in any way
}

var gates = []gate{
	{"create", (*backend).creating, fillVacant, false, true, false, true},
	{"create outside the pool", (*backend).creating, createOutside, false, true, false, false},                                       //poolgen:if hasOutside
	{"create by Warm", (*backend).creating, warmVacant, false, true, false, false},                                                   //poolgen:if hasWarm
	{"create for MinIdle", (*backend).creating, refill, false, true, false, false},                                                   //poolgen:if hasIdle
	{"needs check", needingOnce, leaseIdle, true, false, false, true},                                                                //poolgen:if hasNeeds
	{"check", checkingOnce, leaseIdle, false, true, true, true},                                                                      //poolgen:if hasNeeds
	{"check in the background", checkingOnce, rest, false, true, true, false},                                                        //poolgen:if hasNeeds && hasBackground
	{"reset by the pool", func(b *backend, s script) { b.resetting(unlessHere(s)) }, endByRelease, false, true, true, false},         //poolgen:if resetsAway
	{"reset by the releaser", func(b *backend, s script) { b.resetting(onlyHere(s)) }, endByRelease, true, false, true, false},       //poolgen:if resetsHere
	{"broken", func(b *backend, s script) { b.breaking(refuses(s)) }, endByRelease, true, false, true, false},                        //poolgen:if hasBroken
	{"close", (*backend).closing, endByDiscard, false, true, false, false},                                                           //poolgen:if hasClose
	{"after create", func(b *backend, s script) { b.set(func() { b.onAfterCreate = s }) }, fillVacant, false, true, true, true},      //poolgen:if hasAfterCreate
	{"before acquire", func(b *backend, s script) { b.set(func() { b.onBeforeAcquire = s }) }, leaseIdle, true, true, true, true},    //poolgen:if hasBeforeAcquire
	{"after release", func(b *backend, s script) { b.set(func() { b.onAfterRelease = s }) }, endByRelease, true, false, true, false}, //poolgen:if hasAfterRelease
	{"before close", func(b *backend, s script) { b.set(func() { b.onBeforeClose = s }) }, endByDiscard, false, false, false, false}, //poolgen:if hasBeforeClose
}

// way is how the first requester asks for a connection.
type way struct {
	name string
	asks func(p *Pool, ctx context.Context) (Lease, error)
}

var ways = []way{
	{"Acquire", (*Pool).Acquire},
	{"TryAcquire", (*Pool).TryAcquire},           //poolgen:if hasTry
	{"AcquireOrCreate", (*Pool).AcquireOrCreate}, //poolgen:if hasOutside
}

// needingOnce has no check fail that the needs-check hook asks for.
//
//poolgen:if hasNeeds
func needingOnce(b *backend, s script) { b.needing(refuses(s)) }

//poolgen:if hasNeeds
func checkingOnce(b *backend, s script) { b.allDue(); b.checking(s) }

// refuses is a script as a hook that answers: it says true instead of failing.
func refuses(s script) func(*Conn) bool {
	return func(c *Conn) bool { return s(context.Background(), c) != nil }
}

// How a connection gets to the hook: the requesters find the one place that they may have vacant or idle, or wait
// until its lease ends.

func fillVacant(g *gated) { g.subject.Discard(); synctest.Wait(); g.before(); g.ask() }
func leaseIdle(g *gated)  { g.subject.Release(); synctest.Wait(); g.before(); g.ask() }

// createOutside has the first requester find no place, and leaves one to the second.
//
//poolgen:if hasOutside
func createOutside(g *gated) {
	g.way = way{"AcquireOrCreate", (*Pool).AcquireOrCreate}
	g.overflows = true
	g.before()
	g.ask()
	go g.subject.Release()
	synctest.Wait()
}

//poolgen:if hasWarm
func warmVacant(g *gated) {
	g.way = way{"Warm", func(p *Pool, ctx context.Context) (Lease, error) {
		if err := p.Warm(ctx, 2, nil); err != nil {
			return Lease{}, err
		}
		return p.Acquire(ctx)
	}}
	fillVacant(g)
}

// refill and rest are for hooks that the pool calls by itself. The requesters come when that has begun.

//poolgen:if hasIdle
func refill(g *gated) { g.before(); g.subject.Discard(); g.await(); g.ask() }

//poolgen:if hasNeeds && hasBackground
func rest(g *gated) { g.before(); g.subject.Release(); g.await(); g.ask() }

// await waits until the pool has called the hook, unless something keeps it from that.
//
//poolgen:if hasIdle || hasNeeds && hasBackground
func (g *gated) await() {
	called := func() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.entered }
	for range 40 {
		if called() {
			return
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
	}
}

func endByRelease(g *gated) { g.ask(); g.before(); go g.subject.Release(); synctest.Wait() }
func endByDiscard(g *gated) { g.ask(); g.before(); go g.subject.Discard(); synctest.Wait() }

// conduct is what a hook does, and how long it does it in a second, which is its time.
type conduct struct {
	name  string
	does  func(g *gated) script
	takes time.Duration
	good  bool
	hangs bool
}

var conducts = []conduct{
	{"succeeds", func(*gated) script { return succeed }, 0, true, false},
	{"fails", func(*gated) script { return fail(errRefused) }, 0, false, false},
	{"is slow", func(*gated) script { return deaf(300 * time.Millisecond) }, 300 * time.Millisecond, true, false},
	{"hangs and heeds its context", func(*gated) script { return take(24 * time.Hour) }, time.Second, false, true},
	{"never returns", func(g *gated) script { return g.never }, time.Second + 40*time.Millisecond, false, true},
	{"panics", func(*gated) script { return panicking("oh no") }, 0, false, false},
	{"ends its goroutine", func(*gated) script { return exit }, 0, false, false},
}

// interruption is what happens to the pool or to the first of the requesters.
type interruption struct {
	name string
	do   func(g *gated)
}

var interruptions = []interruption{
	{"nothing", func(*gated) {}},
	{"the requester leaves", func(g *gated) { g.left = time.Now(); g.leave() }},
	{"Close", (*gated).close},
	{"Reset", func(g *gated) { g.pool.Reset() }},            //poolgen:if hasReset
	{"Resize to less", (*gated).shrink},                     //poolgen:if hasResize
	{"Resize to more", func(g *gated) { g.pool.Resize(3) }}, //poolgen:if hasResize
}

// gateMoments are when the interruption happens, in relation to the hook.
var gateMoments = []string{"before it", "from within it", "in the instant in which it ends", "after it"}

// gated is a scenario: of two places a bystander holds one, and what becomes of the other one is up to the hook.
type gated struct {
	*backend
	hook      gate
	conduct   conduct
	moment    string
	way       way
	interrupt func()
	letGo     func() // lets the hook return that never does
	open      chan struct{}
	bystander *held
	subject   *held
	entered   bool  // the hook is, or was,
	met       *Conn // with this connection, if there was one
	ctx       context.Context
	leave     context.CancelFunc // for the first requester
	patient   context.Context    // of the second requester
	asked     time.Time          // when both did
	left      time.Time          // when the first was told to
	first     *request
	second    *request
	isClosed  time.Time // when Close was called
	closed    chan error
	shrunk    bool
}

// TestGates goes through all that a hook may do, and at each moment of that through all that may come in between.
func TestGates(t *testing.T) {
	for _, hook := range gates {
		t.Run(hook.name, func(t *testing.T) {
			for _, conduct := range conducts {
				if conduct.name == "hangs and heeds its context" && !hook.ctx {
					continue
				}
				t.Run(conduct.name, func(t *testing.T) {
					for _, interruption := range interruptions {
						for _, moment := range gateMoments {
							if interruption.name == "nothing" && moment != "before it" {
								continue
							}
							for _, way := range ways {
								if way.name != "Acquire" && !hook.any {
									continue
								}
								t.Run(interruption.name+" "+moment+" "+way.name, func(t *testing.T) {
									testGate(t, hook, conduct, interruption, moment, way)
								})
							}
						}
					}
				})
			}
		})
	}
}

func testGate(t *testing.T, hook gate, conduct conduct, interruption interruption, moment string, way way) {
	options := PoolOptions{MaxSize: 2, CreateTimeout: time.Second}
	options.HealthCheckTimeout = time.Second //poolgen:if hasCheck
	if hook.name == "create for MinIdle" {   //poolgen:if hasIdle
		options.MinIdle = 1
	}
	if hook.name == "check in the background" { //poolgen:if hasNeeds && hasBackground
		options.HealthCheckPeriod = time.Second
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, options)
		defer b.finish(func() { time.Sleep(15 * time.Second); synctest.Wait() }) // not virtual, which takes long if there is upkeep
		g := &gated{backend: b, hook: hook, conduct: conduct, moment: moment, way: way, open: make(chan struct{}), closed: make(chan error, 1)}
		g.interrupt = func() { interruption.do(g) }
		g.letGo = sync.OnceFunc(func() { close(g.open) })
		defer g.letGo() // before the pool is looked at for the last time
		g.ctx, g.leave = context.WithTimeout(b.ctx, 8*time.Second)
		defer g.leave()
		patient, done := context.WithTimeout(b.ctx, 9*time.Second)
		defer done()
		g.patient = patient
		b.overflows = hook.name == "before close" && conduct.hangs // the backend takes what is not closed yet for open
		b.overflows = b.overflows || way.name == "AcquireOrCreate"
		g.bystander, g.subject = b.acquire(), b.acquire()
		g.run()
	})
}

func (g *gated) run() {
	g.hook.lead(g)
	time.Sleep(10 * time.Second) // longer than anything takes that is bounded
	if g.moment == "after it" {
		g.interrupt()
		synctest.Wait()
	}
	if g.hook.own && g.conduct.hangs { // the pool can't take its caller's goroutine from the hook
		g.letGo()
	}
	g.bystander.Release()
	time.Sleep(10 * time.Second)
	g.judge()
}

// before is the moment before the hook.
func (g *gated) before() {
	g.hook.set(g.backend, g.script)
	if g.moment == "before it" {
		g.interrupt()
		synctest.Wait()
	}
}

// ask has two requesters want the place, one after the other.
func (g *gated) ask() {
	g.asked = time.Now()
	g.first = g.launch(g.ctx, func(ctx context.Context) (Lease, error) { return g.way.asks(g.pool, ctx) }, g.use)
	synctest.Wait()
	g.second = g.launch(g.patient, g.pool.Acquire, g.use)
	synctest.Wait()
}

// use is what the requesters do with their leases.
func (g *gated) use(h *held) {
	if g.refused() == h.Conn() {
		g.violation("a requester got the connection that the hook has refused")
	}
	h.Release()
}

// script is the hook: it misbehaves at its first call, and is good from then on.
func (g *gated) script(ctx context.Context, c *Conn) error {
	g.mu.Lock()
	again := g.entered
	if !again {
		g.entered, g.met = true, c
	}
	g.mu.Unlock()
	if again {
		return nil
	}
	switch g.moment {
	case "from within it":
		g.interrupt()
	case "in the instant in which it ends":
		time.AfterFunc(g.conduct.takes, g.interrupt)
	}
	return g.conduct.does(g)(ctx, c)
}

// never is a hook that does not return before the test lets it.
func (g *gated) never(context.Context, *Conn) error { <-g.open; return nil }

// close ends the pool. It takes until the bystander is done.
func (g *gated) close() {
	g.isClosed = time.Now()
	go func() { g.closed <- g.pool.Close(g.backend.ctx) }()
}

// shrink leaves no place but the bystander's, for a while.
//
//poolgen:if hasResize
func (g *gated) shrink() {
	g.shrunk = true
	g.pool.Resize(1)
	time.AfterFunc(3*time.Second, func() { g.pool.Resize(2) })
}

// judge requires, while a hook that never returns still has not, that nobody waits and no place is missing.
func (g *gated) judge() {
	g.mu.Lock()
	called := g.entered
	g.entered = true // what comes before it may keep it from being called, but not from being good from now on
	g.mu.Unlock()
	require.True(g, called || g.moment == "before it", "the hook was not called")
	g.first.over()
	g.second.over()
	for _, r := range []*request{g.first, g.second} {
		if r.err != nil {
			g.explained(r.err)
		}
		if errors.Is(r.err, ErrPoolClosed) && !g.hook.own {
			require.Zero(g, g.stayed(r, g.isClosed), "for so long a requester stayed in a closed pool")
		}
	}
	if !g.left.IsZero() && g.first.err != nil && !g.hook.own {
		require.Zero(g, g.stayed(g.first, g.left), "for so long the first requester stayed")
	}
	g.whole()
	if !g.isClosed.IsZero() {
		require.NoError(g, <-g.closed)
		return
	}
	g.holdsAll()
	late := g.hook.name == "after create" && g.conduct.name == "never returns" // nobody closes what a hook still uses
	if c := g.refused(); c != nil && hasClose && !late {
		require.Equal(g, 1, g.backend.closed(c), "closes of the connection that the hook has refused")
	}
}

// stayed is for how long a requester that has got nothing was there after that.
func (g *gated) stayed(r *request, after time.Time) time.Duration {
	if after.Before(g.asked) {
		after = g.asked
	}
	return max(0, g.asked.Add(r.took).Sub(after))
}

// refused returns the connection that must not be used any more, if there is one. A hook in its caller's goroutine is
// asked as long as it takes, and says yes in the end.
func (g *gated) refused() *Conn {
	lost := g.hook.name == "needs check" && (g.conduct.name == "panics" || g.conduct.name == "ends its goroutine")
	if !g.hook.veto && !lost || g.conduct.good || g.hook.own && g.conduct.name == "never returns" {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.met
}

// explained requires that an error is one of those that a requester may get here.
func (g *gated) explained(err error) {
	var hook *PoolError
	switch {
	case errors.Is(err, ErrPoolClosed) && !g.isClosed.IsZero():
	case errors.Is(err, ErrPoolExhausted) && g.way.name == "TryAcquire": //poolgen:if hasTry
	case errors.As(err, &hook) && hook.Op == "warm" && g.shrunk:
	case errors.Is(err, context.Canceled) && !g.left.IsZero():
	case errors.Is(err, context.DeadlineExceeded) && g.hook.own && g.conduct.hangs: // the place was the hook's all the time
	case errors.As(err, &hook) && !g.conduct.good && hook.Op != "acquire":
	default:
		require.NoError(g, err)
	}
}

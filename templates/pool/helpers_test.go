package pool

import (
	"context"
	"errors"
	"fmt"
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

var (
	errRefused = errors.New("connection refused")
	errDirty   = errors.New("unread reply")
	errFatal   = errors.New("connection reset by peer")
)

// noContext is the nil that nobody should pass.
var noContext context.Context

// backend is what the pool under test connects to. It plays the scripts that a test gives it, keeps
// account of every connection, and fails the test when the pool breaks a rule that always holds.
type backend struct {
	*testing.T
	pool    *Pool
	options PoolOptions
	ctx     context.Context // of all requests, ends with the test, or when nothing else is going to happen
	end     context.CancelFunc

	mu       sync.Mutex // guards all that follows
	onCreate script
	onCheck  script
	onClose  script
	onReset  script
	onNeeds  func(*Conn) bool

	onAfterCreate, onBeforeAcquire, onAfterRelease, onBeforeClose script
	onBroken                                                      func(*Conn) bool
	conns                                                         map[*Conn]*account // all there ever were
	open                                                          map[*Conn]*account // those that count
	calls                                                         map[*int]context.Context
	creates                                                       int // calls of the create hook
	checks                                                        int
	resets                                                        int
	peak                                                          int // of connections open or being created, without those given up
	peakCalls                                                     int // of creates at a time
	overflows                                                     bool
	crowded                                                       bool // nobody asks for the peaks
	held                                                          []*held
}

// account is what the backend knows of one connection.
type account struct {
	number  int
	born    time.Time
	died    time.Time // when the close hook was called
	holders int
	checks  int // under way
	closes  int
	kept    bool            // create has returned it with a cleanup,
	cleaned int             // which was called so often
	dead    bool            // killed by the server
	gone    bool            // detached
	closing context.Context // of the close hook

	creating context.Context // of a create whose hooks have not all returned in time
}

// script is what a hook does. There is no connection yet in a create.
type script func(ctx context.Context, c *Conn) error

func succeed(context.Context, *Conn) error { return nil }

func fail(err error) script { return func(context.Context, *Conn) error { return err } }

func panicking(v any) script { return func(context.Context, *Conn) error { panic(v) } }

func exit(context.Context, *Conn) error { runtime.Goexit(); return nil }

// take is a hook that takes its time, and heeds its context.
func take(d time.Duration) script {
	return func(ctx context.Context, _ *Conn) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// deaf is a hook that takes its time, whatever its context says.
func deaf(d time.Duration) script {
	return func(context.Context, *Conn) error { time.Sleep(d); return nil }
}

// then is a hook that does one thing after another.
func (s script) then(next script) script {
	return func(ctx context.Context, c *Conn) error {
		if err := s(ctx, c); err != nil {
			return err
		}
		return next(ctx, c)
	}
}

// inTurn is a hook that does something else on each call, and repeats the last.
func inTurn(scripts ...script) script {
	var calls atomic.Int64
	return func(ctx context.Context, c *Conn) error {
		return scripts[min(int(calls.Add(1)), len(scripts))-1](ctx, c)
	}
}

// virtual runs a test of a pool with virtual time, and afterwards sees whether the pool is whole.
func virtual(t *testing.T, options PoolOptions, f func(t *testing.T, b *backend)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, options)
		defer b.finish(func() { time.Sleep(24 * time.Hour); synctest.Wait() })
		f(t, b)
	})
}

func newBackend(t *testing.T, options PoolOptions) *backend {
	b := &backend{T: t, options: options, conns: map[*Conn]*account{}, open: map[*Conn]*account{}, calls: map[*int]context.Context{}}
	b.ctx, b.end = context.WithTimeout(context.Background(), 1000*time.Hour)
	b.heal()
	if hasObserver && options.Observer == nil {
		options.Observer = quiet()
	}
	pool, err := NewPool(&server{
		create: b.create, clean: b.clean, needs: b.needs, check: b.check, close: b.close, reset: b.reset, broken: b.broken,
		afterCreate:   b.afterCreate,
		beforeAcquire: func(ctx context.Context, c *Conn) error { return b.script(&b.onBeforeAcquire)(ctx, c) },
		afterRelease:  func(c *Conn) error { return b.script(&b.onAfterRelease)(context.Background(), c) },
		beforeClose:   func(c *Conn) { _ = b.script(&b.onBeforeClose)(context.Background(), c) },
		fatal:         func(err error, _ *Conn) bool { return errors.Is(err, errFatal) },
	}, options)
	require.NoError(t, err)
	pool.prompt.Store(1024) //poolgen:if hasBarging // else nobody may barge before many waiters have been prompt
	b.pool = pool
	return b
}

// The scripts of the hooks may be changed at any time.

func (b *backend) creating(s script)            { b.set(func() { b.onCreate = s }) }
func (b *backend) checking(s script)            { b.set(func() { b.onCheck = s }) }
func (b *backend) closing(s script)             { b.set(func() { b.onClose = s }) }
func (b *backend) resetting(s script)           { b.set(func() { b.onReset = s }) }
func (b *backend) needing(f func(*Conn) bool)   { b.set(func() { b.onNeeds = f }) }
func (b *backend) breaking(f func(*Conn) bool)  { b.set(func() { b.onBroken = f }) }
func (b *backend) set(change func())            { b.mu.Lock(); change(); b.mu.Unlock() }
func (b *backend) script(which *script) script  { b.mu.Lock(); defer b.mu.Unlock(); return *which }
func (b *backend) violation(f string, a ...any) { b.Helper(); b.Errorf(f, a...) }

// allDue makes every connection due for a check that those fail which the server has killed.
func (b *backend) allDue() { b.needing(func(*Conn) bool { return true }) }

// heal makes every hook but these succeed at once.
func (b *backend) heal(but ...*script) {
	b.set(func() {
		for _, s := range but {
			defer func(kept script) { *s = kept }(*s)
		}
		b.onCreate, b.onCheck, b.onClose, b.onReset = succeed, succeed, succeed, succeed
		b.onAfterCreate, b.onBeforeAcquire, b.onAfterRelease, b.onBeforeClose = succeed, succeed, succeed, succeed
		b.onNeeds = func(*Conn) bool { return false }
		b.onBroken = func(*Conn) bool { return false }
	})
}

// kill has the server drop all connections there are: they fail their checks from now on.
func (b *backend) kill() {
	b.set(func() {
		for _, a := range b.conns {
			a.dead = true
		}
	})
}

func (b *backend) create(ctx context.Context) (*Conn, error) {
	call := new(int)
	b.mu.Lock()
	b.creates++
	b.calls[call] = ctx
	b.count()
	b.mu.Unlock()
	defer b.set(func() { delete(b.calls, call) })
	if err := b.script(&b.onCreate)(ctx, nil); err != nil {
		return nil, err
	}
	return b.connect(ctx, call), nil
}

// connect opens a connection in a create with that context, which counts if it was not given up.
func (b *backend) connect(ctx context.Context, call *int) *Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &account{number: len(b.conns) + 1, born: time.Now()}
	if hasAfterCreate {
		a.creating = ctx
	}
	c := &Conn{id: a.number}
	b.conns[c] = a
	delete(b.calls, call)
	if !over(ctx) {
		b.open[c] = a
	}
	return c
}

// afterCreate is the last hook of a create: until it returns, the pool may give the connection up with that.
func (b *backend) afterCreate(ctx context.Context, c *Conn) error {
	defer b.set(func() {
		if a := b.conns[c]; a != nil && !over(ctx) {
			a.creating = nil
		}
	})
	return b.script(&b.onAfterCreate)(ctx, c)
}

// over reports whether the time of a hook with that context is. The pool waits for one that it has called off.
func over(ctx context.Context) bool {
	until, _ := ctx.Deadline()
	return time.Until(until) <= 0
}

// count updates the peaks, under mu. With thousands of creates at a time that would be most of what a test does.
func (b *backend) count() {
	if b.crowded {
		return
	}
	calls, places := 0, 0
	for _, ctx := range b.calls {
		if ctx.Err() == nil {
			calls++
		}
		if !over(ctx) {
			places++
		}
	}
	for _, a := range b.open {
		if (a.creating == nil || !over(a.creating)) && (a.closing == nil || !over(a.closing)) {
			places++
		}
	}
	b.peakCalls = max(b.peakCalls, calls)
	b.peak = max(b.peak, places)
}

// untouched sees to it that the pool may call a hook with that connection.
func (b *backend) untouched(hook string, c *Conn) *account {
	a := b.conns[c]
	switch {
	case a == nil:
		b.violation("%s of a connection that nobody made", hook)
	case a.closes > 0:
		b.violation("%s of connection %d, which is closed", hook, a.number)
	case a.holders > 0:
		b.violation("%s of connection %d, which is leased", hook, a.number)
	}
	return a
}

func (b *backend) needs(c *Conn) bool {
	b.mu.Lock()
	b.untouched("needs check", c)
	f := b.onNeeds
	b.mu.Unlock()
	return f(c)
}

func (b *backend) check(ctx context.Context, c *Conn) error {
	b.mu.Lock()
	b.checks++
	a := b.untouched("check", c)
	if a.checks++; a.checks > 1 {
		b.violation("two checks of connection %d at a time", a.number)
	}
	b.mu.Unlock()
	defer b.set(func() { a.checks-- })
	if err := b.script(&b.onCheck)(ctx, c); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.dead {
		return errors.New("reset by peer")
	}
	return nil
}

func (b *backend) close(ctx context.Context, c *Conn) error {
	b.mu.Lock()
	a := b.untouched("close", c)
	a.closes++
	if a.gone {
		b.violation("close of connection %d, which was detached", a.number)
	}
	a.closing, a.died = ctx, time.Now()
	b.mu.Unlock()
	defer b.set(func() { delete(b.open, c) })
	return b.script(&b.onClose)(ctx, c)
}

// clean is what create returns to clean up after a connection.
func (b *backend) clean(c *Conn) func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.conns[c]
	if a == nil {
		return nil
	}
	a.kept = true
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if a.closes == 0 && !a.gone {
			b.violation("cleanup after connection %d, which is not closed", a.number)
		}
		a.cleaned++
	}
}

func (b *backend) reset(ctx context.Context, c *Conn) error {
	b.mu.Lock()
	b.resets++
	b.untouched("reset", c)
	b.mu.Unlock()
	return b.script(&b.onReset)(ctx, c)
}

func (b *backend) broken(c *Conn) bool {
	b.mu.Lock()
	b.untouched("broken", c)
	f := b.onBroken
	b.mu.Unlock()
	return f(c)
}

// held is a lease on the backend's account: it notices when a connection has two owners.
type held struct {
	Lease
	b     *backend
	leave func()
}

func (b *backend) hold(l Lease) *held {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.conns[l.Conn()]
	if a == nil || a.closes > 0 || a.gone {
		b.violation("a connection was handed out that is closed, detached or unknown: %+v", a)
		return &held{l, b, func() {}}
	}
	if a.holders++; a.holders > 1 {
		b.violation("connection %d has %d owners", a.number, a.holders)
	}
	h := &held{l, b, sync.OnceFunc(func() { b.set(func() { a.holders-- }) })}
	b.held = append(b.held, h)
	return h
}

func (h *held) Release() { h.leave(); h.Lease.Release() }
func (h *held) Discard() { h.leave(); h.Lease.Discard() }
func (h *held) Detach() *Conn {
	h.leave()
	h.b.set(func() {
		h.b.conns[h.Conn()].gone = true
		delete(h.b.open, h.Conn())
	})
	return h.Lease.Detach()
}

// acquire leases a connection, which must succeed.
func (b *backend) acquire() *held {
	b.Helper()
	lease, err := b.pool.Acquire(b.ctx)
	require.NoError(b, err)
	return b.hold(lease)
}

func (b *backend) acquireAll(n int) []*held {
	b.Helper()
	all := make([]*held, n)
	for i := range all {
		all[i] = b.acquire()
	}
	return all
}

// idle gives the pool n idle connections.
func (b *backend) idle(n int) {
	b.Helper()
	require.NoError(b, b.pool.Warm(b.ctx, n, nil))
	b.expect(n, "idle", func(s PoolStats) int { return s.Idle })
}

// release releases leases and waits until that is done.
func (b *backend) release(all ...*held) {
	for _, h := range all {
		h.Release()
	}
	synctest.Wait()
}

// request is an Acquire of another goroutine.
type request struct {
	b     *backend
	ended chan struct{}
	held  *held
	err   error
	took  time.Duration
}

// request has another goroutine acquire a connection, and returns when that is waiting or done.
func (b *backend) request(ctx context.Context) *request { return b.start(ctx, b.pool.Acquire) }

// requests are n requests, one after another.
func (b *backend) requests(n int) []*request {
	all := make([]*request, n)
	for i := range all {
		all[i] = b.request(b.ctx)
	}
	return all
}

func (b *backend) start(ctx context.Context, acquire func(context.Context) (Lease, error)) *request {
	r := b.launch(ctx, acquire, nil)
	synctest.Wait()
	return r
}

// launch begins a request that hands its lease to use, if that is not nil, in its own goroutine.
func (b *backend) launch(ctx context.Context, acquire func(context.Context) (Lease, error), use func(*held)) *request {
	r := &request{b: b, ended: make(chan struct{})}
	begun := time.Now()
	go func() {
		defer close(r.ended)
		lease, err := acquire(ctx)
		r.took = time.Since(begun)
		if r.err = err; err != nil {
			return
		}
		r.held = b.hold(lease)
		if use != nil {
			use(r.held)
		}
	}()
	return r
}

// waits requires that the request has not come back.
func (r *request) waits() {
	r.b.Helper()
	synctest.Wait()
	select {
	case <-r.ended:
		require.Fail(r.b, "the request did not wait", "it got %v after %v", r.err, r.took)
	default:
	}
}

// served requires that the request has a lease by now.
func (r *request) served() *held {
	r.b.Helper()
	r.over()
	require.NoError(r.b, r.err)
	return r.held
}

// failed requires that the request has failed by now, and returns the error.
func (r *request) failed() error {
	r.b.Helper()
	r.over()
	require.Error(r.b, r.err)
	return r.err
}

func (r *request) over() {
	r.b.Helper()
	synctest.Wait()
	select {
	case <-r.ended:
	default:
		require.Fail(r.b, "the request still waits")
	}
}

// wait waits until the request comes back.
func (r *request) wait() *request { <-r.ended; return r }

// expect requires a number of the pool's statistics, when everything has come to rest.
func (b *backend) expect(want int, what string, get func(PoolStats) int) {
	b.Helper()
	synctest.Wait()
	require.Equal(b, want, get(b.pool.Stats()), what)
}

// created requires that there have been so many calls of the create hook.
func (b *backend) created(n int) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Equal(b, n, b.creates, "creates")
}

// checked requires that there have been so many calls of the check hook.
func (b *backend) checked(n int) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Equal(b, n, b.checks, "checks")
}

// peaked requires that no more creates ran at a time, and that so many did.
func (b *backend) peaked(n int) {
	b.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Equal(b, n, b.peakCalls, "creates at a time")
}

// left requires that so many connections are open on the server.
func (b *backend) left(n int) {
	b.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Len(b, b.open, n, "open connections")
}

// closed reports how often the connection was closed.
func (b *backend) closed(c *Conn) int {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conns[c].closes
}

// whole requires that the numbers of the statistics add up.
func (b *backend) whole() {
	b.Helper()
	if !hasStats {
		return
	}
	s := b.pool.Stats()
	counts := append(underWay(s), s.Idle, s.InUse, s.Vacant, s.Waiting)
	sum := -s.Waiting
	for _, n := range counts {
		require.GreaterOrEqual(b, n, 0, "%+v", s)
		sum += n
	}
	require.Equal(b, s.MaxSize, sum, "places: %+v", s)
}

// underWay are the numbers of places that goroutines of the pool are at.
func underWay(s PoolStats) []int {
	counts := []int{s.Creating}
	counts = append(counts, s.Warming)   //poolgen:if hasWarm
	counts = append(counts, s.Checking)  //poolgen:if hasCheck
	counts = append(counts, s.Resetting) //poolgen:if resetsAway
	counts = append(counts, s.Closing)   //poolgen:if hasClose
	return counts
}

// balanced requires of a pool at rest that every connection it created is accounted for.
func (b *backend) balanced() {
	b.Helper()
	b.balancedAfter(func() {})
}

// balancedAfter requires the same of a pool that comes to rest for moments only, as one does in real time whose connections
// expire all the time.
func (b *backend) balancedAfter(rest func()) {
	b.Helper()
	if !hasStats {
		return
	}
	rest()
	s := b.pool.Stats()
	for moments := 100; moments > 0 && slices.Max(append(underWay(s), s.Waiting)) > 0; moments-- {
		rest()
		s = b.pool.Stats()
	}
	for _, n := range append(underWay(s), s.Waiting) {
		require.Zero(b, n, "the pool is not at rest: %+v", s)
	}
	gone := s.RetiredDiscarded + s.RetiredUnwanted
	gone += s.Detached         //poolgen:if hasDetach
	gone += s.RetiredUnhealthy //poolgen:if hasCheck
	gone += s.RetiredBroken    //poolgen:if hasJudges || resetsAway || hasBeforeAcquire
	gone += s.RetiredExpired   //poolgen:if hasLifetime
	gone += s.RetiredIdle      //poolgen:if hasIdle
	gone += s.RetiredSurplus   //poolgen:if hasIdle || hasResize || hasKeyed
	gone += s.RetiredReset     //poolgen:if hasReset
	gone += s.RetiredLost      //poolgen:if hasLeaks
	gone += uint64(s.Fresh)    //poolgen:if hasFresh
	require.Equal(b, s.Created, gone+uint64(s.Idle+s.InUse), "connections: %+v", s)
}

// size is the number of the pool's places.
func (b *backend) size() int {
	b.pool.mu.Lock() // not every pool has Stats
	defer b.pool.mu.Unlock()
	if hasMaxSize {
		return b.pool.stats.MaxSize
	}
	return b.pool.options.MaxSize
}

// closePool closes the pool without patience.
func (b *backend) closePool(patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return b.pool.Close(ctx)
}

// finish requires what must be true of the pool after every test: no place is lost, all numbers add up,
// Close closes each connection once, and there were never too many. Rest lets everything come to its end.
func (b *backend) finish(rest func()) {
	b.heal()
	b.end()
	b.releaseAll()
	rest()
	b.releaseAll()
	rest()
	if b.Failed() {
		b.closePool(time.Hour)
		return
	}
	b.whole()
	b.balancedAfter(rest)
	if lease, err := b.pool.Acquire(context.Background()); !errors.Is(err, ErrPoolClosed) {
		require.NoError(b, err)
		lease.Release()
		rest()
		b.holdsAll()
		b.balancedAfter(rest)
	}
	require.NoError(b, b.closePool(time.Minute))
	b.balancedAfter(rest)
	if hasStats {
		require.Zero(b, b.pool.Stats().Idle+b.pool.Stats().InUse)
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b, b.calls, "creates still run")
	for _, a := range slices.SortedFunc(maps.Values(b.conns), func(x, y *account) int { return x.number - y.number }) {
		if a.gone {
			require.Zero(b, a.closes, "connection %d, detached", a.number)
		} else {
			require.Equal(b, 1, a.closes, "closes of connection %d", a.number)
			require.Equal(b, a.kept, a.cleaned == 1, "cleanups after connection %d: %d", a.number, a.cleaned)
		}
	}
	if !b.overflows {
		require.LessOrEqual(b, b.peak, b.size(), "connections at a time")
	}
}

func (b *backend) releaseAll() {
	b.mu.Lock()
	all := slices.Clone(b.held)
	b.held = nil
	b.mu.Unlock()
	for _, h := range all {
		h.Release()
	}
}

// holdsAll requires that all places can be leased at the same time.
func (b *backend) holdsAll() {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	places := min(b.size(), 1000)
	errs := make(chan error, places)
	var all sync.WaitGroup
	all.Add(places)
	for range places {
		go func() {
			lease, err := b.pool.Acquire(ctx)
			all.Done()
			if err == nil {
				h := b.hold(lease)
				all.Wait()
				h.Release()
			}
			errs <- err
		}()
	}
	for range places {
		require.NoError(b, <-errs, "not all places can be leased")
	}
}

// within requires a duration to be in a range.
func within(t *testing.T, least, most, got time.Duration, what string) {
	t.Helper()
	require.True(t, least <= got && got <= most, fmt.Sprintf("%s took %v, not %v to %v", what, got, least, most))
}

// quiet is an observer that does not care.
//
//poolgen:if hasObserver
func quiet() *observer {
	return &observer{
		created: func(time.Duration) {}, createFailed: func(error) {}, acquired: func(time.Duration) {}, acquireFailed: func(error) {},
		released: func() {}, retired: func(string) {}, checkFailed: func(error) {},
	}
}

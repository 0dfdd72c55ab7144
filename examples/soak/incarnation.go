package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// incarnation is a generated pool from its beginning to its end, whatever it is made of.
type incarnation struct {
	site    *Site
	size    int                                                  // places in the beginning,
	places  func() error                                         // and again
	ways    []func(context.Context) (held, error)                // to lease a connection
	with    func(context.Context, func(*connection) error) error // or nil
	upkeep  []func(context.Context) error                        // what users do to a pool as a whole
	endings []func(context.Context) error                        // the last one is Close
	numbers func() numbers
}

// held is a lease.
type held struct {
	*connection
	fresh   bool
	release func(err error) // of what it was used for
	discard func()
	detach  func() bool // or nil
}

// numbers are what a pool says of itself.
type numbers struct {
	places, inUse, waiting  int    // places add up all states
	acquired, created, gone uint64 // connections gone are those that the pool does not have any more
	counted                 bool   // the pool has these three
	silent                  bool   // the pool has none of all these
}

const (
	places         = 6 // of a pool
	createTimeout  = 300 * time.Millisecond
	checkTimeout   = 150 * time.Millisecond
	acquireTimeout = 2 * time.Second
)

// by is a way that leases in one way and returns what it got in another.
func by[L any](acquire func(context.Context) (L, error), hold func(L) held) func(context.Context) (held, error) {
	return func(ctx context.Context) (held, error) {
		lease, err := acquire(ctx)
		if err != nil {
			return held{}, err
		}
		return hold(lease), nil
	}
}

func newLean(s *Site) (*incarnation, error) {
	p, err := NewLeanPool(s, LeanPoolOptions{MaxSize: places, CreateTimeout: createTimeout})
	if err != nil {
		return nil, err
	}
	hold := func(l LeanLease) held {
		return held{connection: l.Conn().connection, release: func(error) { l.Release() }, discard: l.Discard}
	}
	return &incarnation{
		site: s, size: places,
		ways:    []func(context.Context) (held, error){by(p.Acquire, hold)},
		endings: []func(context.Context) error{p.Close},
		numbers: func() numbers { return numbers{silent: true} },
	}, nil
}

func newUsual(s *Site) (*incarnation, error) {
	p, err := NewUsualPool(s, UsualPoolOptions{
		MaxSize: places, MaxWaiters: 64, CreateTimeout: createTimeout, HealthCheckTimeout: checkTimeout,
		Barging: time.Duration(rand.IntN(2)) * 10 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	hold := func(l UsualLease) held {
		return held{l.Conn().connection, l.Fresh(), func(error) { l.Release() }, l.Discard,
			func() bool { return l.Detach() != nil }}
	}
	return &incarnation{
		site: s, size: places,
		ways: []func(context.Context) (held, error){by(p.Acquire, hold), by(p.TryAcquire, hold), by(p.AcquireOrCreate, hold)},
		with: func(ctx context.Context, f func(*connection) error) error {
			return p.With(ctx, func(c *Usual) error { return f(c.connection) })
		},
		upkeep:  []func(context.Context) error{func(ctx context.Context) error { return p.Warm(ctx, 1+rand.IntN(places), nil) }},
		endings: []func(context.Context) error{p.Close},
		numbers: func() numbers {
			st := p.Stats()
			return numbers{st.Idle + st.InUse + st.Creating + st.Warming + st.Checking + st.Closing + st.Vacant, st.InUse, st.Waiting,
				st.Acquired, st.Created, st.RetiredUnhealthy + st.RetiredBroken + st.RetiredDiscarded + st.RetiredUnwanted + st.Detached, true, false}
		},
	}, nil
}

// fullOptions has every option do something in a soak's time.
func fullOptions(s *Site) FullPoolOptions {
	return FullPoolOptions{
		MaxSize: places, MinIdle: 1, MaxIdle: places - 1, IdleTimeout: time.Second, MaxLifetime: 3 * time.Second,
		MaxWaiters: 64, AcquireTimeout: acquireTimeout, MaxConcurrentCreates: 3, CreateTimeout: createTimeout, CreateRetries: 2,
		BreakAfter: 8, BreakTime: 100 * time.Millisecond, HealthCheckTimeout: checkTimeout, HealthCheckPeriod: time.Second,
		LeakThreshold: time.Second, OnLeak: func(FullLeak) { s.ledger.leaks.Add(1) }, Observer: Watch{s},
	}
}

func holdFull(l FullLease) held {
	return held{l.Conn().connection, l.Fresh(), l.ReleaseErr, l.Discard, func() bool { return l.Detach() != nil }}
}

func newFull(s *Site) (*incarnation, error) {
	s.full = true
	p, err := NewFullPool(s, fullOptions(s))
	if err != nil {
		return nil, err
	}
	return &incarnation{
		site: s, size: places, places: func() error { return p.Resize(places) },
		ways: []func(context.Context) (held, error){by(p.Acquire, holdFull), by(p.TryAcquire, holdFull), by(p.AcquireOrCreate, holdFull)},
		with: func(ctx context.Context, f func(*connection) error) error {
			return p.With(ctx, func(c *Full) error { return f(c.connection) })
		},
		upkeep: []func(context.Context) error{
			func(context.Context) error { p.Reset(); return nil },
			func(context.Context) error { return p.Resize(2 + rand.IntN(places)) },
			func(context.Context) error {
				p.Retain(func(*Full) bool { return s.stumble("retain") == nil && rand.IntN(3) > 0 })
				return nil
			},
			func(ctx context.Context) error { return p.Warm(ctx, 1+rand.IntN(places), nil) },
			func(ctx context.Context) error {
				c, err := NewFull(ctx, s)
				if err == nil {
					err = p.Insert(c)
				}
				return err
			},
			func(context.Context) error { _ = fmt.Sprint(p.Leases(100*time.Millisecond), p.Stats()); return nil },
		},
		endings: []func(context.Context) error{p.Drain, p.Close},
		numbers: func() numbers { return ofFull(p.Stats()) },
	}, nil
}

func ofFull(st FullPoolStats) numbers {
	return numbers{st.Idle + st.InUse + st.Creating + st.Warming + st.Checking + st.Resetting + st.Closing + st.Vacant, st.InUse, st.Waiting,
		st.Acquired, st.Created, st.RetiredUnhealthy + st.RetiredBroken + st.RetiredDiscarded + st.RetiredExpired + st.RetiredIdle +
			st.RetiredSurplus + st.RetiredReset + st.RetiredLost + st.RetiredUnwanted + st.Detached, true, false}
}

// newKeyed returns a set of pools, whose keys take the places from each other.
func newKeyed(s *Site) (*incarnation, error) {
	s.full = true
	set, err := NewFullPools(func(string) (*Site, error) { return s, nil },
		FullPoolsOptions{Pool: fullOptions(s), MaxTotal: places, IdleTimeout: 2 * time.Second})
	if err != nil {
		return nil, err
	}
	acquire := func(ctx context.Context) (FullLease, error) {
		return set.Acquire(ctx, fmt.Sprint("key ", rand.IntN(8)))
	}
	return &incarnation{
		site: s, size: places,
		ways:    []func(context.Context) (held, error){by(acquire, holdFull)},
		endings: []func(context.Context) error{set.Close},
		numbers: func() numbers { // pools that were forgotten are not in it any more: it does not count
			n := numbers{places: places}
			for _, st := range set.Stats() {
				n.inUse += st.InUse
				n.waiting += st.Waiting
			}
			return n
		},
	}, nil
}

// end ends the pool, by Drain or Close, and checks what then must hold: nothing is open, and all that was counted adds up.
func (in *incarnation) end() {
	in.site.ledger.ended.Add(1)
	violated := in.site.ledger.violated
	for _, ending := range in.endings[rand.IntN(len(in.endings)):] {
		ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
		err := ending(ctx)
		cancel()
		if err != nil {
			violated("%s: does not end: %v; %+v", in.site.name, err, in.numbers())
		}
	}
	n := in.numbers()
	if n.inUse != 0 || n.waiting != 0 {
		violated("%s: closed with %+v", in.site.name, n)
	}
	if leases := in.site.leases.Load(); n.counted && n.acquired != uint64(leases) {
		violated("%s: says it has leased %d times, requesters had %d leases", in.site.name, n.acquired, leases)
	}
	if n.counted && n.created != n.gone {
		violated("%s: created %d connections, but retired %d", in.site.name, n.created, n.gone)
	}
	if !eventually(func() bool { return in.site.open() == 0 }) {
		violated("%s: %d connections are not closed", in.site.name, in.site.open())
	}
	told := func() (created, gone int64) {
		return in.site.created.Load(), in.site.retired.Load() + in.site.detached.Load()
	}
	if in.site.full && !eventually(func() bool { created, gone := told(); return created == gone }) {
		created, gone := told()
		violated("%s: the observer is told of %d created connections, but of %d retired or detached ones", in.site.name, created, gone)
	}
}

// endTimeout is what the end of a pool may take: there may be leases that only a garbage collection ends.
const endTimeout = time.Minute

// eventually waits for what may take a moment, for five seconds in which the process runs.
func eventually(holds func() bool) bool {
	for range 1000 {
		if holds() {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

package pool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// PoolOptions are the settings of a [Pool]. A field that is zero stands for the default.
type PoolOptions struct {
	MaxSize              int           //poolgen:if !fixedSize // of the pool, in connections; by default GOMAXPROCS, but at least 4
	MaxWaiters           int           // who may wait for a place at a time; by default any number
	MaxConcurrentCreates int           // at a time; by default any number
	CreateTimeout        time.Duration // bounds a create, whatever the requester's context says; by default 10 s
	HealthCheckTimeout   time.Duration //poolgen:if hasCheck // bounds a check likewise, and other hooks; by default 1 s
}

// Pool is a pool of connections, made by [NewPool]. Its methods may be called at the same time.
//
// A pool has a fixed number of places. Each has a turn, a number that is odd while the place holds an
// idle connection, even while the place is somebody's, and goes up by two with every lease that ends.
// So one compare-and-swap takes a place, one gives it back, and a lease that has ended can't give
// back what is its successor's.
//
// Requesters who find nothing idle wait in a queue, first come, first served: goroutines of the pool
// look after the connections, and what becomes available goes to whoever has waited longest. While
// somebody waits, limit is 0, which sends everybody to the queue. A requester sets it to 0 before
// looking for an idle place for the last time; a releaser reads it after having made a place idle. So
// one of the two sees what the other did, and nobody waits beside an idle place.
type Pool struct {
	limit    atomic.Int64 // how many places the fast path may search
	lanes    int          // at how many of them it may start
	slots    []slot       //poolgen:array size
	context  Context      //poolgen:if hasContext
	options  PoolOptions
	waitTime atomic.Int64  // nanoseconds spent in the queue
	stale    atomic.Uint64 // leases that were ended once more
	gone     atomic.Uint64 // requesters whose context ended

	mu      sync.Mutex    // guards all that follows
	in      [phases]int   // how many places are in each phase
	high    int           // all places from here on are vacant
	fresh   int           // connections outside the pool
	line    waiter        // the queue's ends: next is the oldest waiter, prev the youngest
	waiting int           // the queue's length
	tickets uint64        // how many waiters there have been
	spare   *waiter       // waiters for reuse, linked by next
	served  time.Time     // when the queue formed, or got a released connection last
	took    time.Duration // how long the latest create took
	timer   *time.Timer   // calls settle when time alone makes a difference
	stats   PoolStats     // the counters
	closed  bool
	drained chan struct{} // closed when the pool is closed and has no connection left
}

// NewPool returns a pool that creates a connection whenever one is needed; [Pool.Warm] creates some
// ahead. The error tells which option makes no sense.
func NewPool(c Context, options PoolOptions) (*Pool, error) {
	o := &options
	if min(o.MaxWaiters, o.MaxConcurrentCreates) < 0 || o.CreateTimeout < 0 || hasCheck && o.HealthCheckTimeout < 0 ||
		!fixedSize && (o.MaxSize < 0 || o.MaxSize > 1<<20) {
		return nil, fmt.Errorf("PoolOptions: a field is negative, or too large: %+v", options)
	}
	o.MaxSize = cmp.Or(o.MaxSize, max(4, runtime.GOMAXPROCS(0))) //poolgen:if !fixedSize
	o.MaxWaiters = cmp.Or(o.MaxWaiters, math.MaxInt)
	o.MaxConcurrentCreates = cmp.Or(o.MaxConcurrentCreates, math.MaxInt)
	o.CreateTimeout = cmp.Or(o.CreateTimeout, 10*time.Second)
	o.HealthCheckTimeout = cmp.Or(o.HealthCheckTimeout, time.Second) //poolgen:if hasCheck
	p := &Pool{options: options, lanes: 2 * runtime.GOMAXPROCS(0), drained: make(chan struct{})}
	p.context = c                     //poolgen:if hasContext
	p.slots = make([]slot, o.MaxSize) //poolgen:if !fixedSize
	for i := range p.slots {
		p.slots[i].pool, p.slots[i].index = p, i
	}
	p.in[vacant] = len(p.slots)
	p.line.next, p.line.prev = &p.line, &p.line
	return p, nil
}

// Acquire leases a connection: an idle one, one that is released, or a new one, whichever comes
// first, to requesters in the order they came. The error is that of ctx or of a create, or
// [ErrPoolExhausted] or [ErrPoolClosed].
// (hasCheck) A connection that was due for a health check has passed it.
func (p *Pool) Acquire(ctx context.Context) (Lease, error) { return p.acquire(ctx, patient) }

// TryAcquire is [Pool.Acquire] for those who won't wait for a place: if all are taken, it returns
// [ErrPoolExhausted]. It does wait for a connection that is under way.
func (p *Pool) TryAcquire(ctx context.Context) (Lease, error) { return p.acquire(ctx, trying) }

// acquire is Acquire and TryAcquire.
func (p *Pool) acquire(ctx context.Context, how manner) (lease Lease, err error) {
	if ctx.Err() != nil {
		return Lease{}, p.canceled(ctx, "acquire", time.Now())
	}
	s := p.take()
	if s == nil {
		if s, err = p.queue(ctx, how); err != nil {
			return Lease{}, err
		}
	}
	if hasNeeds {
		asked := s.isNew
		defer func() {
			if !asked {
				err = &PoolError{"needs health check", noReturn(recover())}
				p.drop(s, &p.stats.RetiredUnhealthy)
			}
		}()
		if !asked {
			due := needsHealthCheck(s.conn, p.context)
			asked = true
			if due {
				return p.check(ctx, s)
			}
		}
	} else if hasCheck {
		if !s.isNew {
			return p.check(ctx, s)
		}
	}
	return s.lease(), nil
}

// AcquireOrCreate is [Pool.TryAcquire] that, if all places are taken, creates a connection outside
// the pool, which is gone after its release; [Lease.Fresh] tells it from others.
func (p *Pool) AcquireOrCreate(ctx context.Context) (Lease, error) {
	lease, err := p.TryAcquire(ctx)
	if !errors.Is(err, ErrPoolExhausted) {
		return lease, err
	}
	s := &slot{pool: p, fresh: true}
	if err := p.await(ctx, s, &job{to: creating}); err != nil {
		return Lease{}, err
	}
	return s.lease(), nil
}

// With leases a connection for the time of f. It discards the connection if f panics, or returns an
// error when ctx has ended: nobody knows what is still under way on it. Else it releases it.
func (p *Pool) With(ctx context.Context, f func(*Conn) error) error {
	lease, err := p.Acquire(ctx)
	if err != nil {
		return err
	}
	clean := false
	defer func() {
		if clean {
			lease.Release()
		} else {
			lease.Discard()
		}
	}()
	err = f(lease.Conn())
	clean = err == nil || ctx.Err() == nil
	return err
}

// Warm creates connections until the pool has n of them: all or, if one fails or ctx ends, none.
// They are created as usual or, if create is not nil, by create, which is told the index of each.
func (p *Pool) Warm(ctx context.Context, n int, create func(ctx context.Context, i int) (*Conn, error)) error {
	if n > len(p.slots) {
		return &PoolError{"warm", fmt.Errorf("%d connections are too many for %d places", n, len(p.slots))}
	}
	p.mu.Lock()
	var places []*slot
	for p.in[vacant] > 0 && len(p.slots)-p.in[vacant] < n {
		places = append(places, p.vacancy())
		p.move(places[len(places)-1], creating)
	}
	p.unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	limit := make(chan struct{}, min(len(places), p.options.MaxConcurrentCreates))
	for i, s := range places {
		limit <- struct{}{}
		running.Add(1)
		go func() {
			defer running.Done()
			if err := p.await(ctx, s, &job{to: creating, create: create, index: i, private: true}); err != nil {
				places[i] = nil
				cancel(err)
			}
			<-limit
		}()
	}
	running.Wait()
	p.mu.Lock()
	defer p.unlock()
	for _, s := range places {
		if s != nil && ctx.Err() == nil {
			p.deliver(s)
		} else if s != nil {
			p.retire(s, &p.stats.RetiredUnwanted)
		}
	}
	return context.Cause(ctx)
}

// Close ends the pool: requesters get [ErrPoolClosed], idle connections are closed now, and leased
// ones on release. It returns when none is left, or when ctx ends, with an error that tells how many
// are; the pool closes them as they come back. Close may be called again.
func (p *Pool) Close(ctx context.Context) error {
	begun, done := time.Now(), ctx.Done()
	p.mu.Lock()
	p.closed = true
	p.limit.Store(0)
	for w := p.next(p.tickets); w != nil; w = p.next(p.tickets) {
		w.err = ErrPoolClosed
		w.ready <- nil
	}
	p.match()
	for i := range p.slots {
		if s := &p.slots[i]; s.job != nil && (!hasClose || s.phase != closing) {
			s.job.cancel()
		}
	}
	p.unlock()
	select {
	case <-p.drained:
		return nil
	case <-done:
		return p.canceled(ctx, "close", begun)
	}
}

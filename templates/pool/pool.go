package pool

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// PoolOptions are the settings of a [Pool]. A field that is zero stands for the default.
type PoolOptions struct {
	MaxSize              int           //poolgen:if !fixedSize // how many connections there are at the most; by default GOMAXPROCS, but at least 4
	MaxWaiters           int           // who may wait for a place at a time; by default any number
	MaxConcurrentCreates int           // at a time, those outside the pool aside; by default any number
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
	waitTime atomic.Int64 // nanoseconds that requesters waited

	mu      sync.Mutex    // guards all that follows
	in      [phases]int   // how many places are in each phase
	high    int           // all places from here on are vacant
	fresh   int           // connections outside the pool
	line    waiter        // the queue's ends: next is the oldest waiter, prev the youngest
	waiting int           // the queue's length
	spare   *waiter       // waiters for reuse, linked by next
	coming  int           // how many creates are for the queue
	orders  []*job        // creates of Warm that have not begun
	served  time.Time     // when the queue formed, or got a released connection last
	took    time.Duration // how long the latest create took
	timer   *time.Timer   // calls settle when time alone makes a difference
	stats   PoolStats     // the counters
	closed  bool
	drained chan struct{} // closed when the pool is closed and has no connection left,
	drain   sync.Once     // by this
}

// NewPool returns a pool that creates a connection whenever one is needed; [Pool.Warm] creates some
// ahead. The error tells which option makes no sense.
func NewPool(c Context, options PoolOptions) (*Pool, error) {
	o := &options
	if min(o.MaxWaiters, o.MaxConcurrentCreates) < 0 || o.CreateTimeout < 0 || hasCheck && o.HealthCheckTimeout < 0 ||
		!fixedSize && uint(o.MaxSize) > 1<<20 {
		return nil, fmt.Errorf("PoolOptions: a field is negative, or too large: %+v", options)
	}
	o.MaxSize = cmp.Or(o.MaxSize, max(4, runtime.GOMAXPROCS(0))) //poolgen:if !fixedSize
	o.MaxWaiters = cmp.Or(o.MaxWaiters, 1<<30)
	o.MaxConcurrentCreates = cmp.Or(o.MaxConcurrentCreates, 1<<30)
	o.CreateTimeout = cmp.Or(o.CreateTimeout, 10*time.Second)
	o.HealthCheckTimeout = cmp.Or(o.HealthCheckTimeout, time.Second) //poolgen:if hasCheck
	p := &Pool{options: options, lanes: 4 * runtime.GOMAXPROCS(0), drained: make(chan struct{})}
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
//
//poolgen:if hasTry
func (p *Pool) TryAcquire(ctx context.Context) (Lease, error) { return p.acquire(ctx, trying) }

// AcquireOrCreate is [Pool.TryAcquire] that, if all places are taken, creates a connection outside
// the pool, which is gone after its release; [Lease.Fresh] tells it from others.
//
//poolgen:if hasOutside
func (p *Pool) AcquireOrCreate(ctx context.Context) (Lease, error) { return p.acquire(ctx, outside) }

// manner is how a requester gets what it wants if nothing is idle.
type manner int

const (
	patient manner = iota // it waits in the queue
	trying                // a connection is created for it if there is room
	outside               // or outside the pool if there is none
)

func (p *Pool) acquire(ctx context.Context, how manner) (lease Lease, err error) {
	if ctx.Err() != nil {
		return Lease{}, p.canceled(ctx, "acquire", time.Now())
	}
	s := p.take()
	if s == nil {
		s, err = p.obtain(ctx, how)
	}
	asked := true //poolgen:if hasNeeds
	if hasNeeds {
		defer func() {
			if !asked {
				err = &PoolError{"needs health check", fmt.Errorf(noReturn, recover(), debug.Stack())}
				p.drop(s, &p.stats.RetiredUnhealthy)
			}
		}()
	}
	for hasCheck && err == nil && !s.ready {
		if hasNeeds {
			asked = false
			due := needsHealthCheck(s.conn, p.context)
			asked = true
			if !due {
				break
			}
		}
		done, begun := ctx.Done(), time.Now()
		p.mu.Lock()
		s, err = p.await(p.waiter(ctx, done, begun), s, checking)
	}
	if err != nil {
		return Lease{}, err
	}
	return s.lease(), nil
}

// With leases a connection for the time of f. It discards the connection if f panics, or returns an
// error when ctx has ended: nobody knows what is still under way on it. Else it releases it.
//
//poolgen:if hasWith
func (p *Pool) With(ctx context.Context, f func(*Conn) error) error {
	lease, err := p.Acquire(ctx)
	if err != nil {
		return err
	}
	end := Lease.Discard
	defer func() { end(lease) }()
	if err = f(lease.Conn()); err == nil || ctx.Err() == nil {
		end = Lease.Release
	}
	return err
}

// Warm creates connections until the pool has n of them: all or, if one fails or ctx ends, none.
// They are created as usual or, if create is not nil, by create, which is told the index of each.
//
//poolgen:if hasWarm
func (p *Pool) Warm(ctx context.Context, n int, create func(ctx context.Context, i int) (*Conn, error)) error {
	if ctx.Err() != nil {
		return p.canceled(ctx, "warm", time.Now())
	} else if n > len(p.slots) {
		return &PoolError{"warm", fmt.Errorf("%d connections are too many for %d places", n, len(p.slots))}
	}
	begun, w := time.Now(), &waiter{ctx: ctx, done: ctx.Done(), ready: make(chan *slot, max(0, n))}
	p.mu.Lock()
	var jobs []*job
	for p.in[vacant] > 0 && len(p.slots)-p.in[vacant] < n {
		j := &job{to: creating, slot: p.vacancy(), waiter: w, create: create, index: len(jobs)}
		p.move(j.slot, reserved)
		jobs = append(jobs, j)
	}
	p.orders = append(p.orders, jobs...)
	p.unlock()
	var err error
	for i := 0; i < len(jobs) && err == nil; i++ {
		select {
		case s := <-w.ready:
			if s == nil {
				p.mu.Lock()
				err = w.err
				p.mu.Unlock()
			}
		case <-w.done:
			err = p.canceled(ctx, "warm", begun)
		}
	}
	p.mu.Lock()
	defer p.unlock()
	p.orders = slices.DeleteFunc(p.orders, func(j *job) bool { return j.waiter == w })
	for _, j := range jobs {
		switch {
		case j.filled && err == nil:
			p.deliver(j.slot)
		case j.filled:
			p.retire(j.slot, &p.stats.RetiredUnwanted)
		case j.ctx == nil:
			p.move(j.slot, vacant)
		default:
			j.unwanted = true
			j.cancel()
		}
	}
	return err
}

// Close ends the pool: requesters get [ErrPoolClosed], idle connections are closed now, and leased
// ones on release. It returns when none is left, or when ctx ends, with an error that tells how many
// are; the pool closes them as they come back. Close may be called again.
func (p *Pool) Close(ctx context.Context) error {
	begun, done := time.Now(), ctx.Done()
	p.mu.Lock()
	p.closed = true
	p.limit.Store(0)
	for w := p.next(); w != nil; w = p.next() {
		w.wake(nil, ErrPoolClosed)
	}
	p.match()
	for i := range p.slots {
		if s := &p.slots[i]; s.job != nil && (!hasClose || s.phase != closing) {
			s.job.leave(p, ErrPoolClosed)
			s.job.cancel()
		}
	}
	p.unlock()
	select {
	case <-p.drained:
		return nil
	case <-done:
	}
	select {
	case <-p.drained:
		return nil
	default:
		return p.canceled(ctx, "close", begun)
	}
}

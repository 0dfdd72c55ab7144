package pool

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// PoolOptions are the settings of a [Pool]. A field that is zero stands for the default.
type PoolOptions struct {
	MaxSize              int           //poolgen:if !fixedSize // how many connections there are at the most; by default GOMAXPROCS, but at least 4
	MaxWaiters           int           //poolgen:if hasLimits // who may wait for a place at a time; by default any number
	MaxConcurrentCreates int           //poolgen:if hasLimits // at a time; Warm and AcquireOrCreate count for themselves; by default any number
	CreateTimeout        time.Duration // bounds a create, whatever the requester's context says; by default 10 s
	HealthCheckTimeout   time.Duration //poolgen:if hasCheck // bounds a check likewise, and other hooks; by default 1 s
}

// Pool is a pool of connections, made by [NewPool]. Its methods may be called at the same time.
//
// Each place has a turn, a number that is odd while the place holds an idle connection, even while
// the place is somebody's, and goes up by two with every lease that ends. So one compare-and-swap
// takes a place, one gives it back, and a lease that has ended can't give back what is its successor's.
//
// Requesters who find nothing idle wait in a queue, first come, first served: goroutines of the pool
// look after the connections, and what becomes available goes to whoever has waited longest. While
// somebody waits, limit is 0, which sends everybody to the queue. A requester sets it to 0 before
// looking for an idle place for the last time; a releaser reads it after having made a place idle. So
// one of the two sees what the other did, and nobody waits beside an idle place.
type Pool struct {
	limit   atomic.Int64            // how many places the fast path may search
	slots   atomic.Pointer[[]*slot] //poolgen:if !fixedSize // the places there have been so far
	fixed   [size]slot              //poolgen:if fixedSize // the places
	lanes   int                     // at how many of them a search may start
	context Context                 //poolgen:if hasContext
	options PoolOptions
	waited  atomic.Int64       // nanoseconds that requesters waited
	drained context.Context    // ends when the pool is closed and has no connection left,
	drain   context.CancelFunc // by this

	mu     sync.Mutex    // guards all that follows
	stats  PoolStats     // counts idle connections as in use
	high   int           // all places from here on are vacant
	line   waiter        // the queue's ends: next is the oldest waiter, prev the youngest
	spare  *waiter       // waiters for reuse, linked by next
	served time.Time     //poolgen:if hasDemand // when the queue formed, or got a released connection last
	took   time.Duration //poolgen:if hasDemand // how long the latest create took
	timer  *time.Timer   //poolgen:if hasDemand // calls settle when time alone makes a difference
	closed bool
}

// NewPool returns a pool that creates a connection whenever one is needed. The error tells which
// option makes no sense.
func NewPool(c Context, options PoolOptions) (*Pool, error) {
	p, err := &Pool{options: options, lanes: 4 * runtime.GOMAXPROCS(0)}, error(nil)
	preset(&p.options.MaxSize, max(4, runtime.GOMAXPROCS(0)), "MaxSize", &err)           //poolgen:if !fixedSize
	preset(&p.options.MaxWaiters, math.MaxInt32, "MaxWaiters", &err)                     //poolgen:if hasLimits
	preset(&p.options.MaxConcurrentCreates, math.MaxInt32, "MaxConcurrentCreates", &err) //poolgen:if hasLimits
	preset(&p.options.CreateTimeout, 10*time.Second, "CreateTimeout", &err)
	preset(&p.options.HealthCheckTimeout, time.Second, "HealthCheckTimeout", &err) //poolgen:if hasCheck
	if err != nil {
		return nil, err
	}
	p.context = c //poolgen:if hasContext
	if fixedSize {
		for i := range p.fixed {
			p.fixed[i].pool, p.fixed[i].index, p.fixed[i].state = p, i, &p.stats.Vacant
		}
		p.stats.MaxSize = size
	} else {
		p.slots.Store(new([]*slot))
		p.stats.MaxSize = p.options.MaxSize
	}
	p.stats.Vacant = p.stats.MaxSize
	p.timer = time.AfterFunc(math.MaxInt64, p.settle) //poolgen:if hasDemand
	p.timer.Stop()                                    //poolgen:if hasDemand
	p.line.next, p.line.prev = &p.line, &p.line
	p.drained, p.drain = context.WithCancel(context.Background())
	return p, nil
}

// preset gives an option its default if it is zero, and reports one that is negative.
func preset[N int | time.Duration](option *N, value N, name string, err *error) {
	if *option < 0 {
		*err = fmt.Errorf("PoolOptions.%s is %v: it can't be negative", name, *option)
	}
	*option = cmp.Or(*option, value)
}

// Acquire leases a connection: an idle one, one that is released, or a new one, whichever comes
// first, to requesters in the order they came. The error is that of ctx or of a create, or
// [ErrPoolExhausted] or [ErrPoolClosed].
// (hasCheck) A connection that was due for a health check has passed it.
func (p *Pool) Acquire(ctx context.Context) (Lease, error) {
	return p.acquire(ctx, p.options.MaxWaiters)
}

// TryAcquire is [Pool.Acquire] for those who won't wait for others: if all places are taken, it
// returns [ErrPoolExhausted]. It does wait for a connection that is under way.
//
//poolgen:if hasTry
func (p *Pool) TryAcquire(ctx context.Context) (Lease, error) { return p.acquire(ctx, 0) }

// AcquireOrCreate is [Pool.TryAcquire] that, if all places are taken, creates a connection outside
// the pool, which is gone after its release; [Lease.Fresh] tells it from others.
//
//poolgen:if hasOutside
func (p *Pool) AcquireOrCreate(ctx context.Context) (Lease, error) { return p.acquire(ctx, -1) }

// acquire leases a connection. If nothing is idle, the requester may join the queue while fewer than
// queue wait for others, or, if queue is negative, get a connection outside the pool.
func (p *Pool) acquire(ctx context.Context, queue int) (lease Lease, err error) {
	if ctx.Err() != nil {
		return Lease{}, p.canceled(ctx, "acquire", time.Now())
	}
	s := p.take()
	if s == nil {
		s, err = p.obtain(ctx, queue)
	}
	asked := true //poolgen:if mayPanic
	if mayPanic {
		defer func() {
			if !asked {
				err = &PoolError{"needs health check", fmt.Errorf(noReturn, recover(), debug.Stack())}
				p.drop(s, &p.stats.RetiredUnhealthy)
			}
		}()
	}
	for hasCheck && err == nil && !s.ready {
		if hasNeeds {
			asked = false //poolgen:if mayPanic
			due := needsHealthCheck(s.conn, p.context)
			asked = true //poolgen:if mayPanic
			if !due {
				break
			}
		}
		done, begun := ctx.Done(), time.Now()
		p.mu.Lock()
		s, err = p.await(p.waiter(ctx, done, begun), s, &job{op: "health check", state: &p.stats.Checking})
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
	for i := range p.high {
		if j := p.place(i).job; j != nil && (!hasClose || j.op != "close") {
			j.leave(ErrPoolClosed)
			j.cancel()
		}
	}
	p.unlock()
	select {
	case <-p.drained.Done():
	case <-done:
		if p.drained.Err() == nil {
			return p.canceled(ctx, "close", begun)
		}
	}
	return nil
}

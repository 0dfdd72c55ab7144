package pool

import (
	"cmp"
	"context"
	"errors"
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
	MinIdle              int           //poolgen:if hasIdle // how many connections are kept idle, as far as MaxSize allows; by default none
	MaxIdle              int           //poolgen:if hasIdle // what is idle beyond that is retired within a second; by default nothing
	IdleTimeout          time.Duration //poolgen:if hasIdle // a connection idle for longer is retired, at most a quarter later; by default never
	MaxLifetime          time.Duration //poolgen:if hasLifetime // a connection is retired before it is older, if leased on release; by default never
	MaxLifetimeJitter    time.Duration //poolgen:if hasLifetime // by how much earlier at the most, drawn for each; by default a tenth of MaxLifetime
	MaxWaiters           int           //poolgen:if hasLimits // how many may wait for a place at a time, others get ErrPoolExhausted; by default any number
	Barging              time.Duration //poolgen:if hasBarging // while nobody has waited for so long, requesters may go before those who wait; by default none may
	AcquireTimeout       time.Duration //poolgen:if hasTimeout // bounds a wait, whatever the requester's context says; by default nothing does
	MaxConcurrentCreates int           //poolgen:if hasLimits // how many creates for the queue there are at a time; by default any number
	CreateTimeout        time.Duration // bounds a create, whatever the requester's context says; by default 10 s
	CreateRetries        int           //poolgen:if hasRetry // how often a failed create is tried again within CreateTimeout, after longer and longer pauses; by default never
	BreakAfter           int           //poolgen:if hasBreaker // after so many failed creates in a row there are none for BreakTime, and then one at a time; by default any number
	BreakTime            time.Duration //poolgen:if hasBreaker // by default 1 s
	HealthCheckTimeout   time.Duration //poolgen:if hasCheck // bounds a check, like CreateTimeout, and other hooks; by default 1 s
	Observer             Observer      //poolgen:if hasObserver // is told what happens, outside of the pool's locks
	LeakThreshold        time.Duration //poolgen:if hasLeaks // OnLeak is told of leases that are older; by default of none
	OnLeak               func(Leak)    //poolgen:if hasLeaks // is told, once, and of leases that were garbage collected; by default nobody is
	HealthCheckPeriod    time.Duration //poolgen:if hasBackground // how often idle connections are checked; by default never
	set                  *Pools        //poolgen:if hasKeyed // that the pool is of, if any
}

// Pool is a pool of connections, made by [NewPool]. Its methods may be called at the same time.
//
// Each place has a turn, a number that is odd while the place holds an idle connection, even while the place is somebody's,
// and goes up with every lease that ends. So one compare-and-swap takes a place, one gives it back, and a lease that has
// ended can't give back what is its successor's.
//
// Requesters who find nothing idle wait in a queue, first come, first served, while goroutines of the pool create connections.
// As long as somebody waits, limit is 0, which sends everybody to the queue. A requester sets it to 0 before the last look
// for an idle place; a releaser reads it after making one idle: one of them sees it, and nobody waits beside an idle place.
// (hasBarging) While requesters may barge, limit is negative instead: a releaser has a goroutine look for waiters of the place.
type Pool struct {
	limit   atomic.Int64            // how many places the fast path may search
	slots   atomic.Pointer[[]*slot] //poolgen:if !fixedSize // the places there have been so far
	lanes   int                     // at how many places a search may start
	_       [40]byte                //poolgen:if fixedSize // has the places begin with a cache line: the allocator puts 8 bytes before
	fixed   [size]slot              //poolgen:if fixedSize // the places
	context Context                 //poolgen:if hasContext
	options PoolOptions
	waits   tally              //poolgen:if hasHistogram // of them
	holds   tally              //poolgen:if hasHolds // of the time that leases lasted
	waited  atomic.Int64       //poolgen:if hasStats // nanoseconds that requesters waited
	passing atomic.Bool        //poolgen:if hasBarging // a goroutine that runs passIdle is about to begin
	passOn  func()             //poolgen:if hasBarging // passIdle, so that its goroutine takes no allocation
	prompt  atomic.Int64       //poolgen:if hasYield // how many of 1,024 waiters for whom nobody makes way come promptly, as it seems
	drained context.Context    // ends when the pool is closed and has no connection left,
	drain   context.CancelFunc // by this

	mu        sync.Mutex       // guards all that follows
	stats     PoolStats        // counts idle connections as in use
	high      int              // all places from here on are vacant
	jobs      map[*slot]*job   // what goroutines of the pool do, by place
	line      waiter           // the queue's ends: next is the oldest waiter, prev the youngest
	spare     *waiter          // waiters for reuse, linked by next
	served    time.Time        //poolgen:if hasDemand // when the queue formed, or got a released connection last
	took      time.Duration    //poolgen:if hasDemand || hasIdle // how long the latest create took
	dialed    time.Time        //poolgen:if hasDemand // when the latest one for the queue began
	timer     *time.Timer      //poolgen:if hasDemand || hasBreaker // calls settle when time alone makes a difference
	patience  *time.Timer      //poolgen:if hasBarging // calls endBarging,
	impatient bool             //poolgen:if hasBarging // if it is set
	failures  int              //poolgen:if hasStreak // creates that have failed since one succeeded
	trouble   error            //poolgen:if hasBreaker // the latest of these failures
	mended    time.Time        //poolgen:if hasBreaker // when there may be creates again, if those are too many
	made      time.Time        //poolgen:if hasUpkeep // when the pool was
	period    time.Duration    //poolgen:if hasUpkeep // between the ticks of the upkeep
	ticker    *time.Timer      //poolgen:if hasUpkeep // for these,
	resting   bool             //poolgen:if hasUpkeep // unless there is nothing to look after
	ticks     uint32           //poolgen:if hasUpkeep // there have been
	refillAt  uint32           //poolgen:if hasIdle // the first of them that may create connections
	ages      []age            //poolgen:if hasUpkeep // of the connections, by place
	draining  bool             //poolgen:if hasDrain
	cleanups  map[*Conn]func() //poolgen:if hasCleanup // what create has given with the connections there are
	closed    bool
}

// NewPool returns a pool that creates connections as they are needed, or an error that names an option that makes no sense.
func NewPool(c Context, options PoolOptions) (*Pool, error) {
	err := options.complete()
	if err != nil {
		return nil, err
	}
	p := &Pool{options: options, lanes: 4 * runtime.GOMAXPROCS(0), jobs: map[*slot]*job{}}
	p.context = c                   //poolgen:if hasContext
	p.cleanups = map[*Conn]func(){} //poolgen:if hasCleanup
	if fixedSize {
		for i := range p.fixed {
			p.fixed[i].pool, p.fixed[i].index, p.fixed[i].state = p, i, &p.stats.Vacant
		}
		p.stats.Vacant = size
		p.stats.MaxSize = size     //poolgen:if hasMaxSize
		p.ages = make([]age, size) //poolgen:if hasUpkeep
	} else {
		p.slots.Store(new([]*slot))
		p.stats.Vacant = options.MaxSize
		p.stats.MaxSize = options.MaxSize //poolgen:if hasMaxSize
	}
	p.timer = time.AfterFunc(math.MaxInt64, p.settle) //poolgen:if hasDemand || hasBreaker
	p.timer.Stop()                                    //poolgen:if hasDemand || hasBreaker
	p.line.next, p.line.prev = &p.line, &p.line
	p.passOn = p.passIdle                                    //poolgen:if hasBarging
	p.patience = time.AfterFunc(math.MaxInt64, p.endBarging) //poolgen:if hasBarging
	p.patience.Stop()                                        //poolgen:if hasBarging
	p.drained, p.drain = context.WithCancel(context.Background())
	p.schedule() //poolgen:if hasUpkeep
	return p, nil
}

// complete puts the defaults in, and reports what makes no sense.
//
//poolgen:once
func (o *PoolOptions) complete() error {
	var err error
	preset(&o.MaxSize, max(4, runtime.GOMAXPROCS(0)), "PoolOptions.MaxSize", &err)           //poolgen:if !fixedSize
	preset(&o.MinIdle, 0, "PoolOptions.MinIdle", &err)                                       //poolgen:if hasIdle
	preset(&o.MaxIdle, 0, "PoolOptions.MaxIdle", &err)                                       //poolgen:if hasIdle
	preset(&o.IdleTimeout, 0, "PoolOptions.IdleTimeout", &err)                               //poolgen:if hasIdle
	preset(&o.MaxLifetime, 0, "PoolOptions.MaxLifetime", &err)                               //poolgen:if hasLifetime
	preset(&o.MaxLifetimeJitter, o.MaxLifetime/10, "PoolOptions.MaxLifetimeJitter", &err)    //poolgen:if hasLifetime
	preset(&o.MaxWaiters, math.MaxInt32, "PoolOptions.MaxWaiters", &err)                     //poolgen:if hasLimits
	preset(&o.Barging, 0, "PoolOptions.Barging", &err)                                       //poolgen:if hasBarging
	preset(&o.AcquireTimeout, 0, "PoolOptions.AcquireTimeout", &err)                         //poolgen:if hasTimeout
	preset(&o.MaxConcurrentCreates, math.MaxInt32, "PoolOptions.MaxConcurrentCreates", &err) //poolgen:if hasLimits
	preset(&o.CreateTimeout, 10*time.Second, "PoolOptions.CreateTimeout", &err)
	preset(&o.CreateRetries, 0, "PoolOptions.CreateRetries", &err)                     //poolgen:if hasRetry
	preset(&o.BreakAfter, 0, "PoolOptions.BreakAfter", &err)                           //poolgen:if hasBreaker
	preset(&o.BreakTime, time.Second, "PoolOptions.BreakTime", &err)                   //poolgen:if hasBreaker
	preset(&o.HealthCheckTimeout, time.Second, "PoolOptions.HealthCheckTimeout", &err) //poolgen:if hasCheck
	preset(&o.HealthCheckPeriod, 0, "PoolOptions.HealthCheckPeriod", &err)             //poolgen:if hasBackground
	preset(&o.LeakThreshold, 0, "PoolOptions.LeakThreshold", &err)                     //poolgen:if hasLeaks
	if hasIdle && !fixedSize && err == nil && o.MinIdle > o.MaxSize {
		err = fmt.Errorf("PoolOptions.MinIdle is %d: it can't be more than MaxSize, %d", o.MinIdle, o.MaxSize)
	}
	if hasIdle && hasLifetime && err == nil && o.MaxLifetime > 0 && o.IdleTimeout > o.MaxLifetime {
		err = fmt.Errorf("PoolOptions.IdleTimeout is %v: it can't be more than MaxLifetime, %v", o.IdleTimeout, o.MaxLifetime)
	}
	if hasIdle && err == nil && o.MaxIdle > 0 && o.MinIdle > o.MaxIdle {
		err = fmt.Errorf("PoolOptions.MinIdle is %d: it can't be more than MaxIdle, %d", o.MinIdle, o.MaxIdle)
	}
	if hasLifetime && err == nil && o.MaxLifetimeJitter > o.MaxLifetime {
		err = fmt.Errorf("PoolOptions.MaxLifetimeJitter is %v: it can't be more than MaxLifetime, %v", o.MaxLifetimeJitter, o.MaxLifetime)
	}
	if nilObserver && err == nil && o.Observer == nil {
		err = errors.New("PoolOptions.Observer is nil: give the one that is to be told what happens")
	}
	return err
}

// preset gives an option its default if it is zero, and reports one that is negative.
func preset[N int | time.Duration](option *N, value N, name string, err *error) {
	if *option < 0 && *err == nil {
		*err = fmt.Errorf("%s is %v: it can't be negative", name, *option)
	}
	*option = cmp.Or(*option, value)
}

// Acquire leases a connection: an idle one, one that is released, or a new one, whichever comes first, to requesters in
// the order they came. The error is that of ctx or of a hook, or [ErrPoolClosed].
// (hasLimits) Who would be one more than MaxWaiters gets [ErrPoolExhausted].
// (hasBarging) With the option Barging, who comes may go before those who wait, until somebody has waited for so long.
// (hasCheck) A connection that was due for a health check has passed it.
func (p *Pool) Acquire(ctx context.Context) (lease Lease, err error) {
	if hasLimits {
		return p.acquire(ctx, p.options.MaxWaiters)
	}
	return p.acquire(ctx, math.MaxInt)
}

// TryAcquire is [Pool.Acquire] that waits for what is under way, but not for others: it returns [ErrPoolExhausted] then.
//
//poolgen:if hasTry
func (p *Pool) TryAcquire(ctx context.Context) (lease Lease, err error) { return p.acquire(ctx, 0) }

// AcquireOrCreate is [Pool.Acquire] that, if all places are taken, creates a connection outside of them, see [Lease.Fresh].
//
//poolgen:if hasOutside
func (p *Pool) AcquireOrCreate(ctx context.Context) (lease Lease, err error) {
	return p.acquire(ctx, -1)
}

// acquire leases a connection.
// (hasQueue) It waits behind fewer than queue others, if at all.
//
//poolgen:once
func (p *Pool) acquire(ctx context.Context, queue int) (lease Lease, err error) {
	if observesAcquireFailed {
		defer func() {
			if err != nil {
				observeAcquireFailed(p.options.Observer, err)
			}
		}()
	}
	if ctx.Err() != nil {
		return Lease{}, p.canceled(ctx, "acquire", time.Now(), nil)
	}
	begun := time.Now() //poolgen:if observesAcquired
	s := p.take()
	obtained := s == nil //poolgen:if hasTimeout && hasVetting
	if s == nil {
		if s, err = p.obtain(ctx, queue); err != nil {
			return Lease{}, err
		}
	}
	asked := true //poolgen:if mayPanic
	if mayPanic {
		defer func() {
			if !asked {
				err = &PoolError{Op: "needs health check", Err: fmt.Errorf(noReturn, recover(), debug.Stack())}
				p.drop(s, &p.stats.RetiredUnhealthy)
			}
		}()
	}
	for hasVetting && (hasBeforeAcquire || !s.ready) && (hasBeforeAcquire || mayPanic || !hasNeeds || needsHealthCheck(s.conn, p.context)) {
		if hasBeforeAcquire && (!hasCheck || s.ready) {
			refused := false
			s.queue = int8(cmp.Compare(queue, 0)) //poolgen:if hasRejoin
			if refused, err = p.prepare(ctx, s); err != nil {
				return Lease{}, err
			}
			if !refused {
				break
			}
			if hasTimeout {
				s, err = p.anotherInTime(ctx, s, obtained)
				obtained = true
			} else {
				s, err = p.another(ctx, s)
			}
			if err != nil {
				return Lease{}, err
			}
			continue
		}
		if hasNeeds && (hasBeforeAcquire || mayPanic) {
			asked = false //poolgen:if mayPanic
			due := needsHealthCheck(s.conn, p.context)
			asked = true //poolgen:if mayPanic
			if !due {
				if hasBeforeAcquire {
					s.ready = true
					continue
				}
				break
			}
		}
		s.queue = int8(cmp.Compare(queue, 0)) //poolgen:if hasRejoin
		if hasTimeout {
			if s, err = p.checkInTime(ctx, s, obtained); err != nil {
				return Lease{}, err
			}
			obtained = true
		} else if s, err = p.check(ctx, s); err != nil {
			return Lease{}, err
		}
	}
	if observesAcquired {
		p.acquired(s, time.Since(begun))
	}
	return s.lease(), nil
}

// check has a place checked, apart from the fast path, whose frame it would make larger.
//
//poolgen:if hasCheck
func (p *Pool) check(ctx context.Context, s *slot) (*slot, error) {
	done, begun := ctx.Done(), time.Now()
	p.mu.Lock()
	return p.alone(p.newWaiter(ctx, done, begun), s, &job{op: "health check", state: &p.stats.Checking})
}

// prepare has the hook look at a connection before it is leased. If it refuses one that is new, that is the
// requester's error; else the requester may have another.
//
//poolgen:if hasBeforeAcquire
func (p *Pool) prepare(ctx context.Context, s *slot) (refused bool, err error) {
	returned := false
	defer func() {
		goesOn := returned
		if !returned {
			cause := recover() // nil if it is the requester's goroutine that the hook ended
			goesOn = cause != nil
			err = fmt.Errorf(noReturn, cause, debug.Stack())
		}
		if refused = err != nil && !s.virgin && goesOn; refused {
			err = nil
		} else if err != nil {
			err = &PoolError{Op: "before acquire", Err: err}
			p.drop(s, &p.stats.RetiredBroken)
		}
	}()
	err = beforeAcquire(ctx, s.conn, p.context)
	returned = true
	return
}

// another retires a connection that was refused before its lease. Its requester, whose turn it still is, waits
// for another one in front of all others.
//
//poolgen:if hasBeforeAcquire
func (p *Pool) another(ctx context.Context, s *slot) (*slot, error) {
	done, begun := ctx.Done(), time.Now()
	p.mu.Lock()
	p.retire(s, &p.stats.RetiredBroken)
	switch {
	case p.closed:
		p.unlock()
		return nil, ErrPoolClosed
	case p.broken() && p.lifeless(): //poolgen:if hasBreaker
		defer p.unlock()
		return nil, p.trouble
	}
	w := p.newWaiter(ctx, done, begun)
	w.job = &job{}
	p.insert(w)
	p.turnAway(w, s.queue) //poolgen:if hasRejoin
	return p.wait(w)
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
	if hasFatal && err != nil && ctx.Err() == nil {
		end = func(l Lease) { l.ReleaseErr(err) }
	}
	return err
}

// Close ends the pool: requesters get [ErrPoolClosed], and it parts with idle connections now, with leased ones on release. It
// returns when none is left, or when ctx ends, with an error: the others go as they come back.
func (p *Pool) Close(ctx context.Context) error {
	begun := time.Now()  //poolgen:if hasStats
	_ = p.drained.Done() // panics, before mu is locked, if NewPool has not made p
	p.mu.Lock()
	p.closed = true
	p.limit.Store(0)
	for w := p.next(); w != nil; w = p.next() {
		w.wake(nil, ErrPoolClosed)
	}
	p.match()
	p.patience.Stop() //poolgen:if hasBarging
	p.timer.Stop()    //poolgen:if hasDemand || hasBreaker
	p.ticker.Stop()   //poolgen:if hasUpkeep
	for _, j := range p.jobs {
		if !hasClose || j.op != "close" {
			j.leave(ErrPoolClosed) //poolgen:if hasAwait
			j.cancel()
		}
	}
	p.unlock()
	return p.await(ctx, "close", begun)
}

// await waits for the pool to have no connection left.
//
//poolgen:once
func (p *Pool) await(ctx context.Context, op string, begun time.Time) error {
	select {
	case <-p.drained.Done():
	case <-ctx.Done():
		if p.drained.Err() == nil {
			return p.canceled(ctx, op, begun, nil)
		}
	}
	return nil
}

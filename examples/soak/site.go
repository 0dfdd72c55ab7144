package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Site is the context of a pool: where its connections go, what is known of them, and what goes wrong in its hooks.
type Site struct {
	name   string
	addr   string
	dial   func(ctx context.Context, addr string) (wire, error)
	ledger *ledger
	full   bool        // the pool has everything: an observer, and an eye on leases that nobody ends
	calm   atomic.Bool // hooks do as they should

	opened, closed   atomic.Int64 // connections
	leases, detached atomic.Int64 // that requesters had, or took out of the pool
	created, retired atomic.Int64 // as the observer is told
}

// connection is what the connections of all pools have in common. It knows who uses it, and that it may be closed once.
type connection struct {
	wire
	site   *Site
	holder atomic.Int64 // the id of the request that uses it, or 0
	closed atomic.Bool
	used   time.Time
	// checking is held by a check, and by who closes: the pool gives up a check that does not return in time, and closes
	// the connection meanwhile, which pgx is not made for.
	checking sync.Mutex
}

func (s *Site) connect(ctx context.Context) (*connection, error) {
	w, err := s.dial(ctx, s.addr)
	if err != nil {
		return nil, err
	}
	s.opened.Add(1)
	return &connection{wire: w, site: s, used: time.Now()}, nil
}

// open counts the connections that were created and are not closed.
func (s *Site) open() int64 { return s.opened.Load() - s.closed.Load() }

// take makes the connection a request's. There must be no other that has it.
func (c *connection) take(id int64) {
	if !c.holder.CompareAndSwap(0, id) {
		c.site.ledger.violated("%s: requests %d and %d have one connection", c.site.name, id, c.holder.Load())
	}
	if c.closed.Load() {
		c.site.ledger.violated("%s: request %d got a connection that the pool has closed", c.site.name, id)
	}
}

func (c *connection) leave(id int64) {
	c.used = time.Now()
	if !c.holder.CompareAndSwap(id, 0) {
		c.site.ledger.violated("%s: request %d had a connection that is %d's", c.site.name, id, c.holder.Load())
	}
}

// shut closes the connection, which happens once, and not while somebody uses it.
func (c *connection) shut(ctx context.Context) error {
	if id := c.holder.Load(); id != 0 {
		c.site.ledger.violated("%s: the connection of request %d is closed", c.site.name, id)
	}
	if c.closed.Swap(true) {
		c.site.ledger.violated("%s: a connection is closed again", c.site.name)
		return nil
	}
	c.checking.Lock()
	defer c.checking.Unlock()
	defer c.site.closed.Add(1)
	return c.close(ctx)
}

var (
	errMischief = errors.New("mischief")
	mischief    = 0.01 // the probability that a hook goes wrong
)

// stumble is what may go wrong in a hook that its caller waits for.
func (s *Site) stumble(hook string) error {
	if s.calm.Load() || rand.Float64() >= mischief {
		return nil
	}
	if rand.IntN(2) == 0 {
		s.ledger.mischief.Add(1)
		panic(fmt.Sprintf("%v: %s panics", errMischief, hook))
	}
	s.ledger.mischief.Add(1)
	return fmt.Errorf("%w: %s fails", errMischief, hook)
}

// dawdle is what may go wrong in a hook that the pool calls in a goroutine of its own: it may also take its time,
// for longer than it has, and end the goroutine.
func (s *Site) dawdle(ctx context.Context, hook string) error {
	if s.calm.Load() || rand.Float64() >= mischief {
		return s.stumble(hook)
	}
	s.ledger.mischief.Add(1)
	switch rand.IntN(3) {
	case 0:
		<-ctx.Done()
		return ctx.Err()
	case 1:
		time.Sleep(time.Second) // whatever its context says
		return fmt.Errorf("%w: %s is deaf", errMischief, hook)
	}
	runtime.Goexit()
	return nil
}

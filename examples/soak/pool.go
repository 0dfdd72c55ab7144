package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// pool is one of the pools that the soak keeps open, one incarnation after the other, and its requesters.
type pool struct {
	name     string
	backend  *backend
	make     func(*Site) (*incarnation, error)
	ledger   *ledger
	now      atomic.Pointer[incarnation]
	answered atomic.Int64   // when a request that has been answered had begun, in Unix nanoseconds
	busy     sync.WaitGroup // requests, and incarnations that end
}

// open begins an incarnation, whose connections go to the server itself or through the proxy.
func (p *pool) open() error {
	site := &Site{name: p.name, addr: p.backend.TCP, dial: p.backend.dial, ledger: p.ledger}
	if rand.IntN(2) == 0 {
		site.addr = p.backend.proxy.Addr()
	}
	in, err := p.make(site)
	if err == nil {
		p.now.Store(in)
	}
	return err
}

// load sends requests, so many a second, until ctx ends: some alone, some in small crowds, and now and then in one that
// is much more than the pool has connections.
func (p *pool) load(ctx context.Context, rate float64) {
	const mean = 3.5 // of a crowd
	for sleep(ctx, exponential(time.Duration(mean/rate*float64(time.Second)))) {
		crowd := 1 + rand.IntN(4)
		if rand.IntN(40) == 0 {
			crowd = 40
		}
		for range crowd {
			p.busy.Go(p.request)
		}
	}
}

// request makes a request, and notes what has come of it.
func (p *pool) request() {
	patience := 500 * time.Millisecond
	if rand.IntN(10) == 0 {
		patience = time.Duration(rand.IntN(5000)) * time.Microsecond
	}
	begun, stalled := time.Now(), p.ledger.stalls.Total()
	ctx, cancel := context.WithDeadline(context.Background(), begun.Add(patience))
	defer cancel()
	err := errEnded
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: %v", errPanicked, reason)
		}
		if err == nil {
			p.answered.Store(begun.UnixNano())
		}
		p.ledger.outcome(p.name, begun, begun.Add(patience), stalled, err)
	}()
	err = p.ask(ctx, p.ledger.nextID())
}

// ask leases a connection in any way that the pool has, and uses it.
func (p *pool) ask(ctx context.Context, id int64) error {
	in := p.now.Load()
	if in.with != nil && rand.IntN(4) == 0 {
		return in.with(ctx, func(c *connection) error {
			in.site.leases.Add(1)
			c.take(id)
			defer c.leave(id)
			if in.site.stumble("the requester") != nil {
				return nil
			}
			return p.exchange(ctx, c, id)
		})
	}
	h, err := in.ways[rand.IntN(len(in.ways))](ctx)
	if err != nil {
		return err
	}
	if !h.fresh {
		in.site.leases.Add(1)
	}
	h.take(id)
	err = p.exchange(ctx, h.connection, id)
	h.leave(id)
	p.finish(h, err)
	return err
}

// exchange sends the id to the server, checks the answer, and keeps the connection for a moment.
func (p *pool) exchange(ctx context.Context, c *connection, id int64) error {
	got, err := c.echo(ctx, id)
	if err != nil {
		return err
	}
	if got != id {
		p.ledger.violated("%s: request %d got the answer of %d", p.name, id, got)
	}
	if rand.IntN(4) == 0 {
		sleep(ctx, time.Duration(rand.IntN(5000))*time.Microsecond)
	}
	return nil
}

// finish ends a lease as users do: well, twice, for good or, by mistake and where the pool can help it, not at all.
func (p *pool) finish(h held, err error) {
	switch n := rand.IntN(200); {
	case n == 0:
		h.discard()
	case n == 1 && h.detach != nil && h.detach():
		h.site.detached.Add(1)
		ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
		defer cancel()
		_ = h.shut(ctx)
	case n == 2 && h.site.full && !h.fresh && !h.site.calm.Load():
		// forgotten
	case n < 10:
		h.release(err)
		h.release(err)
	default:
		h.release(err)
	}
}

// tend does to the pool as a whole what users do, until ctx ends.
func (p *pool) tend(ctx context.Context) {
	for sleep(ctx, exponential(time.Second)) {
		in := p.now.Load()
		if len(in.upkeep) == 0 || rand.IntN(12) == 0 {
			if err := p.open(); err != nil {
				p.ledger.violated("%s: can't be opened: %v", p.name, err)
			}
			p.busy.Go(in.end)
			sleep(ctx, exponential(5*time.Second)) // the pools that can only end would do so all the time
			continue
		}
		p.upkeep(in.upkeep[rand.IntN(len(in.upkeep))])
	}
}

// upkeep is one operation, which may fail as the server may be away, but must end.
func (p *pool) upkeep(operation func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	begun, stalled := time.Now(), p.ledger.stalls.Total()
	defer func() {
		_ = recover() // of Retain, whose function panics
		took := time.Since(begun)
		if took > time.Second+slack {
			took -= p.ledger.stalls.Settled() - stalled
		}
		if took > time.Second+slack {
			p.ledger.violated("%s: an operation took %v", p.name, took)
		}
	}()
	_ = operation(ctx)
}

// allPlaces leases all connections of the pool at the same time: none has been lost.
func (p *pool) allPlaces() error {
	in := p.now.Load()
	in.site.calm.Store(true)
	if in.places != nil {
		if err := in.places(); err != nil {
			return err
		}
	}
	if !eventually(func() bool { return in.numbers().inUse == 0 && in.numbers().waiting == 0 }) {
		return fmt.Errorf("nobody uses it any more, but it says %+v", in.numbers())
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	for i := range in.size {
		h, err := p.insist(ctx, in)
		if err != nil {
			return fmt.Errorf("only %d of %d places can be leased: %w; %+v", i, in.size, err, in.numbers())
		}
		defer h.release(nil)
	}
	if n := in.numbers(); !n.silent && (n.inUse != in.size || n.places != in.size) {
		return fmt.Errorf("%d connections are leased, but it says %+v", in.size, n)
	}
	return nil
}

// insist tries again after a create that has failed: it may have begun while there was mischief.
func (p *pool) insist(ctx context.Context, in *incarnation) (h held, err error) {
	for {
		h, err = in.ways[0](ctx)
		if err == nil {
			in.site.leases.Add(1)
		}
		if err == nil || ctx.Err() != nil {
			return h, err
		}
		sleep(ctx, 10*time.Millisecond)
	}
}

// sleep reports whether ctx has not ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func exponential(mean time.Duration) time.Duration {
	return min(time.Duration(rand.ExpFloat64()*float64(mean)), 5*mean)
}

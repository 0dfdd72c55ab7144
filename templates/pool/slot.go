package pool

import (
	"context"
	"sync/atomic"
	"unsafe"
)

// phase is what a place is in use for.
type phase uint8

const (
	vacant    phase = iota // has no connection
	live                   // the connection is idle or leased
	reserved               // a connection is going to be created for Warm
	creating               // a connection is being created
	checking               //poolgen:if hasCheck // the connection is checked for a requester
	suspect                //poolgen:if hasCheck // the connection is checked because another one has failed
	resetting              //poolgen:if resetsAway // the connection is being reset
	closing                //poolgen:if hasClose // the connection is being closed
	phases                 // the number of phases
)

// ops are what errors call the work in a phase.
var ops = [phases]string{
	creating:  "create",
	checking:  "health check", //poolgen:if hasCheck
	suspect:   "health check", //poolgen:if hasCheck
	resetting: "reset",        //poolgen:if resetsAway
	closing:   "close",        //poolgen:if hasClose
}

// slot is a place of the pool, on a cache line of its own, or one outside the pool.
type slot struct {
	turn  atomic.Uint64 // see Pool
	pool  *Pool
	conn  *Conn   // the owner's, like spare
	spare *waiter // that got the place to its owner
	job   *job    // what a goroutine of the pool does here; guarded by mu, like phase
	index int
	phase phase
	fresh bool // outside the pool
	ready bool //poolgen:if hasCheck // created or checked for whoever owns the place now
	_     [8]byte
}

// lease makes the owner of s the holder of a lease.
func (s *slot) lease() Lease {
	s.ready = false //poolgen:if hasCheck
	return Lease{leased: s.conn, slot: s, turn: s.turn.Load()}
}

// take claims an idle place, or returns nil if there is none or somebody waits. Goroutines that run at
// the same time had better start at different places, or they fight over a cache line; the address of
// the stack is the cheapest that tells them apart.
func (p *Pool) take() *slot {
	var local byte
	hash := uint32(uintptr(unsafe.Pointer(&local))>>11) * 0x9e3779b1
	limit := int(p.limit.Load())
	return p.search(limit, int(uint64(hash)*uint64(min(limit, p.lanes))>>32))
}

// search claims an idle place among the first n, from the i-th on upwards: low places stay in use,
// high ones fall idle.
func (p *Pool) search(n, i int) *slot {
	for range n {
		s := &p.slots[i]
		if turn := s.turn.Load(); turn&1 == 1 && s.turn.CompareAndSwap(turn, turn-1) {
			return s
		}
		if i++; i == n {
			i = 0
		}
	}
	return nil
}

// vacancy returns the lowest vacant place, of which there must be one.
func (p *Pool) vacancy() *slot {
	i := 0
	for p.slots[i].phase != vacant {
		i++
	}
	return &p.slots[i]
}

// move changes the phase of a place, under mu.
func (p *Pool) move(s *slot, to phase) {
	from := s.phase
	s.phase = to
	switch {
	case !s.fresh:
		p.in[from]--
		p.in[to]++
	case from == vacant:
		p.fresh++
	case to == vacant:
		p.fresh--
	}
	if to != vacant {
		p.high = max(p.high, s.index+1)
	}
	for p.high > 0 && p.slots[p.high-1].phase == vacant {
		p.high--
	}
}

// retire parts with the connection of a place that is the caller's, under mu.
// (hasClose) The place is not vacant before it is closed, so that there are never more connections than places.
func (p *Pool) retire(s *slot, reason *uint64) {
	*reason++
	if hasClose {
		p.start(context.Background(), s, &job{to: closing})
	} else {
		p.move(s, vacant)
	}
	s.conn = nil
}

// drop is retire for those who don't hold mu.
func (p *Pool) drop(s *slot, reason *uint64) {
	p.mu.Lock()
	p.retire(s, reason)
	p.unlock()
}

// unlock ends a critical section. It sees to new connections if the queue is worth it, and shuts the
// fast path while somebody waits.
func (p *Pool) unlock() {
	for p.in[creating] < p.options.MaxConcurrentCreates {
		if len(p.orders) > 0 {
			p.start(p.orders[0].waiter.ctx, p.orders[0].slot, p.orders[0])
			p.orders = p.orders[1:]
		} else if p.in[vacant] > 0 && p.short() {
			p.start(p.line.prev.ctx, p.vacancy(), &job{to: creating})
		} else {
			break
		}
	}
	limit := int64(p.high)
	if p.waiting > 0 || p.closed {
		limit = 0
	}
	if p.limit.Load() != limit {
		p.limit.Store(limit)
	}
	if p.closed && p.in[vacant] == len(p.slots) && p.fresh == 0 {
		p.drain.Do(func() { close(p.drained) })
	}
	p.mu.Unlock()
}

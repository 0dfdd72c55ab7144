package pool

import "fmt"

// doomed is the bit of a turn that keeps a releaser from making the place idle.
//
//poolgen:if hasDoom || hasAge || hasLeaks
const doomed = 2

// doom has the connection of a place retired: now if it is idle, else as soon as whoever is at it is done.
//
//poolgen:if hasDoom
func (p *Pool) doom(s *slot, reason *uint64) {
	if s.state == &p.stats.Vacant || s.doom != nil || hasClose && s.state == &p.stats.Closing {
		return
	}
	for {
		turn := s.turn.Load()
		if turn&1 == 1 && s.turn.CompareAndSwap(turn, turn-1) {
			p.retire(s, reason)
			return
		}
		if turn&1 == 0 && s.turn.CompareAndSwap(turn, turn|doomed) {
			s.doom = reason
			return
		}
	}
}

// Reset retires all connections there are: idle ones now, leased ones on release, and those under
// creation when they arrive. Requesters get new ones.
//
//poolgen:if hasReset
func (p *Pool) Reset() {
	p.mu.Lock()
	defer p.unlock()
	for i := range p.high {
		p.doom(p.place(i), &p.stats.RetiredReset)
	}
}

// Resize changes MaxSize. What is too many is retired, idle connections first, the others on release:
// no lease is cut short.
//
//poolgen:if hasResize
func (p *Pool) Resize(n int) error {
	if n < 1 {
		return &PoolError{Op: "resize", Err: fmt.Errorf("a pool can't have %d places", n)}
	}
	p.mu.Lock()
	defer p.unlock()
	if p.closed {
		return ErrPoolClosed
	}
	p.stats.Vacant += n - p.stats.MaxSize
	p.stats.MaxSize = n
	surplus := -p.stats.Vacant
	for i := range p.high {
		if s := p.place(i); s.doom != nil || hasClose && s.state == &p.stats.Closing {
			surplus--
		}
	}
	for i := p.high - 1; i >= 0 && surplus > 0; i-- { // what stays is in low places, where it is found soon
		s := p.place(i)
		if turn := s.turn.Load(); turn&1 == 1 && s.turn.CompareAndSwap(turn, turn-1) {
			p.retire(s, &p.stats.RetiredSurplus)
			surplus--
		}
	}
	for i := p.high - 1; i >= 0 && surplus > 0; i-- {
		if s := p.place(i); s.state != &p.stats.Vacant && s.doom == nil && (!hasClose || s.state != &p.stats.Closing) {
			p.doom(s, &p.stats.RetiredSurplus)
			surplus--
		}
	}
	return nil
}

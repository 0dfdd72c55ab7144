package pool

import "errors"

// Insert puts a connection made elsewhere into the pool, which owns it from now on. If the pool has no
// place for it, or is closed, the connection is closed, and the error is [ErrPoolExhausted] or [ErrPoolClosed].
//
//poolgen:if hasInsert
func (p *Pool) Insert(conn *Conn) error {
	if !byValue && conn == nil {
		return &PoolError{Op: "insert", Err: errors.New("there is no connection")}
	}
	if observesCreated {
		observeCreated(p.options.Observer, 0)
	}
	p.mu.Lock()
	defer p.unlock()
	closed := p.closed || hasDrain && p.draining
	if closed || p.stats.Vacant <= 0 || hasKeyed && !p.afford() {
		p.stats.Created++ //poolgen:if hasStats
		p.retire(p.outside(conn), &p.stats.RetiredUnwanted)
		if closed {
			return ErrPoolClosed
		}
		return &PoolError{Op: "insert", Err: ErrPoolExhausted}
	}
	s := p.vacancy()
	s.conn = conn
	p.stats.Created++ //poolgen:if hasStats
	p.arrived(s)      //poolgen:if hasArrival
	s.ready = false   //poolgen:if hasCheck // what was here before may have gone without a lease
	p.deliver(s)
	return nil
}

// Retain shows keep the idle connections, one after the other, and retires those for which it returns false.
//
//poolgen:if hasRetain
func (p *Pool) Retain(keep func(*Conn) bool) {
	for i := range p.places() {
		s := p.place(i)
		if turn := s.turn.Load(); turn&1 == 1 && s.turn.CompareAndSwap(turn, turn-1) {
			p.judge(s, keep)
		}
	}
}

// judge shows keep the connection of a place that is the caller's. One for which it panics is retired.
//
//poolgen:if hasRetain
func (p *Pool) judge(s *slot, keep func(*Conn) bool) {
	kept := false
	defer func() {
		if kept {
			p.handOver(s)
		} else {
			p.drop(s, &p.stats.RetiredDiscarded)
		}
	}()
	kept = keep(s.conn)
}

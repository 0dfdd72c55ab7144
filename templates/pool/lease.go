package pool

import (
	"runtime"
	"time"
)

// leased is the type of the connection by a name that leaves a Lease room for Conn.
type leased = Conn

// Lease is the right to use a connection, whose methods and fields are the lease's too, until it is released and no longer.
// It may be copied: the first Release, Discard or the like of any copy ends it, and all others do nothing.
type Lease struct {
	*leased
	closedByRelease //poolgen:if hidesClose
	slot            *slot
	turn            uint64  // of the place during this lease
	handle          *handle //poolgen:if hasLeaks
}

// closedByRelease hides the method that closes, after which the place would never come back: Discard the lease instead.
//
//poolgen:if hidesClose
type closedByRelease struct{ Close struct{} }

// Conn returns the connection.
func (l Lease) Conn() *Conn { return l.leased }

// Fresh reports whether the connection is one outside the pool, of [Pool.AcquireOrCreate], which ends with its lease.
//
//poolgen:if hasOutside
func (l Lease) Fresh() bool { return l.slot != nil && l.slot.fresh }

// Release gives the connection back. It may be called after [Pool.Close], and on the zero Lease.
func (l Lease) Release() {
	s := l.slot
	if s == nil {
		return
	}
	p := s.pool
	if hasRecycle {
		if l.end() {
			p.recycle(s)
		}
		return
	}
	if !hasBarging && p.limit.Load() == 0 || hasBarging && p.owed(l.turn) || hasOutside && s.fresh || !s.turn.CompareAndSwap(l.turn, l.turn+5) {
		if l.end() {
			p.handOver(s)
		}
	} else if hasBarging && p.limit.Load() <= 0 {
		p.offer()
	} else if !hasBarging && p.limit.Load() == 0 {
		p.settle()
	}
}

// ReleaseErr is Release after the connection's use has ended with err, which may be nil: if that is
// fatal for the connection, it is discarded.
//
//poolgen:if hasFatal
func (l Lease) ReleaseErr(err error) {
	if err == nil {
		l.Release()
		return
	}
	if !l.end() { // the connection is another one's
		return
	}
	s, p := l.slot, l.slot.pool
	fatal := true // if the hook does not return
	defer func() {
		if fatal {
			p.drop(s, &p.stats.RetiredDiscarded)
		} else if hasRecycle {
			p.recycle(s)
		} else {
			p.handOver(s)
		}
	}()
	fatal = isFatal(err, s.conn, p.context)
}

// Created returns when the connection was created.
//
//poolgen:if hasAge
func (l Lease) Created() time.Time { return l.slot.created }

// Uses returns how often the connection has been leased, this time included.
//
//poolgen:if hasAge
func (l Lease) Uses() uint64 { return (l.turn-l.slot.first)>>2 + 1 }

// IdleTime returns how long the connection had been idle before this lease.
//
//poolgen:if hasAge
func (l Lease) IdleTime() time.Duration { return l.slot.rested }

// Discard ends the lease of a connection that is not to be used again.
func (l Lease) Discard() {
	if l.end() {
		p := l.slot.pool
		p.drop(l.slot, &p.stats.RetiredDiscarded)
	}
}

// Cleanup returns the function with which create has returned the connection, or nil. It is for those who Detach the
// connection: the pool does not call it then.
//
//poolgen:if hasCleanup && hasDetach
func (l Lease) Cleanup() func() {
	if l.slot == nil {
		return nil
	}
	p := l.slot.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cleanups[l.leased]
}

// Detach ends the lease, unless it had ended, and returns the connection: it is the caller's, and not of the pool any more.
//
//poolgen:if hasDetach
func (l Lease) Detach() *Conn {
	if !l.end() {
		return none
	}
	p := l.slot.pool
	p.mu.Lock()
	p.stats.Detached++           //poolgen:if hasStats
	delete(p.cleanups, l.leased) //poolgen:if hasCleanup
	l.slot.conn = none
	p.move(l.slot, &p.stats.Vacant)
	p.unlock()
	return l.leased
}

// end makes the place the caller's, unless the lease has ended before.
func (l Lease) end() bool {
	if hasLeaks {
		defer runtime.KeepAlive(l.handle)
	}
	return l.slot != nil && (l.slot.turn.CompareAndSwap(l.turn, l.turn+4) ||
		hasDoom && l.slot.turn.CompareAndSwap(l.turn|doomed, l.turn+4|doomed))
}

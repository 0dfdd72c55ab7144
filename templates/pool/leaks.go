package pool

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Leak tells of a lease that has not ended for long, or that nobody can end any more.
//
//poolgen:if hasLeaks
type Leak struct {
	Since time.Time // when the connection was acquired
	Stack string    // by whom
	Lost  bool      // the lease was garbage collected: its connection has been retired
}

// handle is what the copies of a lease share: when it is garbage collected, so are they. It holds a pointer, as
// cleanups of what holds none may not be called.
//
//poolgen:if hasLeaks
type handle [1]*holder

// holder is who acquired a connection.
//
//poolgen:if hasLeaks
type holder struct {
	slot     *slot
	turn     uint64
	begun    time.Time
	reported bool // guarded by mu
	depth    int
	stack    [24]uintptr
}

// hold notes who acquires a connection, for the lease that begins.
//
//poolgen:if hasLeaks
func (s *slot) hold(turn uint64) *handle {
	of := &holder{slot: s, turn: turn, begun: time.Now()}
	of.depth = runtime.Callers(4, of.stack[:])
	s.holder.Store(of)
	h := &handle{of}
	runtime.AddCleanup(h, (*holder).lost, of)
	return h
}

// lost ends a lease that nobody has any more.
//
//poolgen:if hasLeaks
func (h *holder) lost() {
	p := h.slot.pool
	if (Lease{slot: h.slot, turn: h.turn}).end() {
		p.drop(h.slot, &p.stats.RetiredLost)
		p.report([]Leak{h.leak(true)})
	}
}

// leak describes a lease.
//
//poolgen:if hasLeaks
func (h *holder) leak(lost bool) Leak {
	var stack strings.Builder
	frames := runtime.CallersFrames(h.stack[:h.depth])
	for more := h.depth > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		fmt.Fprintf(&stack, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
	return Leak{Since: h.begun, Stack: stack.String(), Lost: lost}
}

// Leases returns the leases that have not ended and are older than age, those of connections outside the pool aside.
//
//poolgen:if hasLeaks
func (p *Pool) Leases(age time.Duration) []Leak {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leases(age, false)
}

// leases is Leases under mu, if news without those that it has returned before.
//
//poolgen:if hasLeaks
func (p *Pool) leases(age time.Duration, news bool) (leaks []Leak) {
	for i := range p.high {
		s := p.place(i)
		h := s.holder.Load()
		if h == nil || s.turn.Load()&^doomed != h.turn || time.Since(h.begun) < age || news && h.reported {
			continue
		}
		h.reported = h.reported || news
		leaks = append(leaks, h.leak(false))
	}
	return leaks
}

// report tells OnLeak, which may call the pool, so mu must not be locked.
//
//poolgen:if hasLeaks
func (p *Pool) report(leaks []Leak) {
	if p.options.OnLeak != nil {
		for _, leak := range leaks {
			p.options.OnLeak(leak)
		}
	}
}

package pool

import (
	"context"
	"math"
	"runtime"
	"time"
)

// waiter is a requester in the queue.
type waiter struct {
	next, prev *waiter         // nil outside the queue
	ticket     uint64          // numbers the waiters in the order they came
	ctx        context.Context // lends its values to a create
	done       <-chan struct{} // of ctx
	ready      chan *slot      // gets what whoever takes the waiter out of the queue has for it
	err        error           // why that is nothing, if it is not that ctx was done
}

// manner is how a requester waits.
type manner int

const (
	patient manner = iota // until it gets a place
	trying                // only if there is room for its connection
	again                 //poolgen:if hasCheck // for another place than the one it had, before all others
)

// queue has a requester wait for a place.
func (p *Pool) queue(ctx context.Context, how manner) (*slot, error) {
	begun, done := time.Now(), ctx.Done()
	p.mu.Lock()
	full := p.waiting-p.in[vacant]-p.in[creating] >= p.options.MaxWaiters
	if how == trying {
		full = p.waiting > 0 || p.in[vacant] == 0 || p.in[creating] >= p.options.MaxConcurrentCreates
	}
	if p.closed || full && (!hasCheck || how != again) {
		defer p.unlock()
		if p.closed {
			return nil, ErrPoolClosed
		}
		p.stats.Rejected++
		return nil, ErrPoolExhausted
	}
	w := p.enqueue(ctx, done, begun, how)
	p.unlock()
	var s *slot
	select {
	case s = <-w.ready:
	case <-done:
		p.mu.Lock()
		if w.prev != nil {
			p.remove(w)
			w.ready <- nil
		}
		p.unlock()
		s = <-w.ready
	}
	p.waitTime.Add(int64(time.Since(begun)))
	switch {
	case s != nil:
		w.ctx, w.done, s.spare = nil, nil, w
	case w.err == nil:
		return nil, p.canceled(ctx, "acquire", begun)
	}
	return s, w.err
}

// enqueue puts a requester into the queue. The first one shuts the fast path, and takes what was made idle
// before that.
func (p *Pool) enqueue(ctx context.Context, done <-chan struct{}, now time.Time, how manner) *waiter {
	w := p.spare
	if w == nil {
		w = &waiter{ready: make(chan *slot, 1)}
	} else {
		p.spare = w.next
	}
	p.tickets++
	p.stats.Waits++
	w.ctx, w.done, w.ticket = ctx, done, p.tickets
	w.prev, w.next = p.line.prev, &p.line
	if hasCheck && how == again && p.waiting > 0 {
		w.ticket, w.prev, w.next = p.line.next.ticket, &p.line, p.line.next
	}
	w.prev.next, w.next.prev = w, w
	if p.waiting++; p.waiting == 1 {
		p.served = now
		p.limit.Store(0)
		p.match()
	}
	return w
}

// remove takes w out of the queue.
func (p *Pool) remove(w *waiter) {
	w.prev.next, w.next.prev = w.next, w.prev
	w.prev, w.next = nil, nil
	p.waiting--
}

// next takes the oldest waiter out of the queue, unless it came after the one with that ticket, and
// on the way those whose context is done.
func (p *Pool) next(ticket uint64) *waiter {
	for w := p.line.next; w != &p.line && w.ticket <= ticket; w = p.line.next {
		p.remove(w)
		select {
		case <-w.done:
			w.ready <- nil
		default:
			return w
		}
	}
	return nil
}

// handOver passes on a place whose lease has ended. If a waiter gets it, the releaser makes way: the
// waiter sits in the releaser's own run queue and would sleep for as long as the releaser runs on.
func (p *Pool) handOver(s *slot) {
	p.mu.Lock()
	given := p.deliver(s)
	p.unlock()
	if given {
		runtime.Gosched()
	}
}

// deliver passes on a place that is the caller's, under mu, to the oldest waiter or else to the idle
// ones. It reports whether a waiter got it.
func (p *Pool) deliver(s *slot) bool {
	if s.spare != nil {
		s.spare.next, p.spare, s.spare = p.spare, s.spare, nil
	}
	if p.closed || s.fresh {
		p.retire(s, &p.stats.RetiredUnwanted)
		return false
	}
	w := p.next(math.MaxUint64)
	if w == nil {
		s.isNew = false //poolgen:if hasCheck
		s.turn.Add(1)
		return false
	}
	if p.in[vacant] > 0 {
		p.served = time.Now()
	}
	w.ready <- s
	return true
}

// match passes on idle places, under mu, as long as there are waiters for them.
func (p *Pool) match() {
	for p.closed || p.waiting > 0 {
		s := p.search(p.high, 0)
		if s == nil {
			return
		}
		p.deliver(s)
	}
}

// settle is for a releaser who made a place idle when somebody had begun to wait, and for the timer.
func (p *Pool) settle() {
	p.mu.Lock()
	p.match()
	p.unlock()
}

// short decides whether the queue is worth another create. One always is: leases may last for ever.
// More are as soon as the waiters for whom nothing is under way would wait for releases longer than
// a create takes, judged by how long the queue has gone without a release. So 45 waiters behind 5
// leases of 2 ms don't cost 45 creates of 150 ms, but one; and behind leases of a second the creates
// start one after another while the first one runs, the sooner the longer the queue. With no lease to
// wait for, 8 are begun, and the rest once these show how long leases last.
func (p *Pool) short() bool {
	queued := time.Duration(p.waiting - p.in[creating])
	if queued <= 0 || p.in[live] == 0 || p.in[creating] == 0 {
		return queued > 0 && p.in[creating] < 8
	}
	again := p.took/queued - time.Since(p.served)
	if again > 0 && p.timer == nil {
		p.timer = time.AfterFunc(again, p.settle)
	} else if again > 0 {
		p.timer.Reset(again)
	}
	return again <= 0
}

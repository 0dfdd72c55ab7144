package pool

import (
	"context"
	"runtime"
	"runtime/trace"
	"time"
)

type waiter struct {
	next, prev *waiter         // nil outside the queue
	job        *job            //poolgen:if hasAwait || hasVetting // nil of those who are in the queue for the first time
	ctx        context.Context // lends its values to a create
	done       <-chan struct{} // of ctx
	begun      time.Time
	given      time.Time  //poolgen:if hasYield // when it was handed a place, if that is timed
	ready      chan *slot // gets the outcome, from whoever has taken the waiter out of the queue
	err        error      // why that is nil, unless it is that ctx was done
}

func (w *waiter) wake(s *slot, err error) {
	w.err = err
	w.ready <- s
}

// obtain gets a requester a place when none is idle.
func (p *Pool) obtain(ctx context.Context, queue int) (s *slot, err error) {
	if hasTimeout && p.options.AcquireTimeout > 0 {
		shorter, cancel := context.WithTimeoutCause(ctx, p.options.AcquireTimeout, errAcquireTimeout)
		defer cancel()
		ctx = shorter
	}
	done, begun, _ := ctx.Done(), time.Now(), p.drained.Done() // panics, before mu is locked, if NewPool has not made p
	p.mu.Lock()
	if p.closed || hasDrain && p.draining {
		p.unlock()
		return nil, ErrPoolClosed
	}
	if hasBreaker && p.broken() && (p.lifeless() || hasOutside && queue < 0) {
		defer p.unlock()
		return nil, p.trouble
	}
	if !hasQueue || !hasCeiling && p.stats.Waiting-p.stats.Vacant-p.stats.Creating < max(0, queue) ||
		hasCeiling && p.stats.Waiting-p.fillable(p.stats.Vacant)-p.stats.Creating < max(0, queue) {
		w := p.newWaiter(ctx, done, begun)
		p.insert(w)
		return p.wait(w)
	}
	if hasOutside && (!hasRefusals || queue < 0) { // AcquireOrCreate
		return p.alone(p.newWaiter(ctx, done, begun), p.outside(none), &job{op: "create", state: &p.stats.Fresh})
	}
	p.stats.Rejected++ //poolgen:if hasStats
	p.unlock()
	return nil, ErrPoolExhausted
}

// newWaiter makes a waiter of a requester, under mu.
//
//poolgen:once
func (p *Pool) newWaiter(ctx context.Context, done <-chan struct{}, begun time.Time) *waiter {
	w := p.spare
	if w == nil {
		w = &waiter{ready: make(chan *slot, 1)}
	}
	p.spare = w.next
	*w = waiter{ctx: ctx, done: done, begun: begun, ready: w.ready}
	return w
}

// alone starts a job for a waiter alone, and waits for its outcome, which goes to the queue if the waiter leaves.
//
//poolgen:if hasAwait
func (p *Pool) alone(w *waiter, s *slot, j *job) (*slot, error) {
	w.job, j.waiter = j, w
	p.start(w.ctx, s, j)
	return p.wait(w)
}

// insert puts w at the end of the queue. The first one there shuts the fast path, and gets what was made idle before that.
// (hasVetting) One whose turn it was has a job, and goes before all others but those whose turn it was even earlier.
//
//poolgen:once // The first one in the queue shuts the fast path, and gets what was made idle before that.
func (p *Pool) insert(w *waiter) {
	after := p.line.prev
	if hasVetting && w.job != nil {
		for after = &p.line; after.next.job != nil && after.next.begun.Before(w.begun); after = after.next {
		}
	}
	w.prev, w.next = after, after.next
	w.prev.next, w.next.prev = w, w
	if p.stats.Waiting++; p.stats.Waiting == 1 {
		p.served = time.Now() //poolgen:if hasDemand
		p.limit.Store(0)
		p.match()
	}
}

// turnAway looks after a requester whose connection was refused and who is back in the queue, but may, as queue says, not wait
// for others: if no place is coming but theirs, it gets what it would if it came now.
//
//poolgen:if hasRejoin
func (p *Pool) turnAway(w *waiter, queue int8) {
	if queue > 0 || w.prev == nil { // it has got another idle one
		return
	}
	coming := p.stats.Vacant
	coming += p.stats.Closing //poolgen:if hasClose
	if hasCheck {
		for _, j := range p.jobs { // idle ones under suspicion, or checked in the background
			if j.state == &p.stats.Checking && j.waiter == nil {
				coming++
			}
		}
	}
	coming = p.fillable(coming)
	if !hasBreaker || !p.broken() {
		coming += p.stats.Creating
	}
	if coming > 0 {
		return
	}
	p.remove(w)
	switch {
	case p.broken(): //poolgen:if hasBreaker
		w.wake(nil, p.trouble)
	case queue < 0: //poolgen:if hasOutside
		w.job = &job{op: "create", state: &p.stats.Fresh, waiter: w}
		p.start(w.ctx, p.outside(none), w.job)
	default: //poolgen:if hasTry
		p.stats.Rejected++ //poolgen:if hasStats
		w.wake(nil, ErrPoolExhausted)
	}
}

// wait ends the critical section and returns the outcome for w.
//
//poolgen:once
func (p *Pool) wait(w *waiter) (s *slot, err error) {
	p.stats.Waits++ //poolgen:if hasStats
	p.unlock()
	if hasTrace {
		defer trace.StartRegion(w.ctx, "Pool wait").End()
	}
	select {
	case s = <-w.ready:
	case <-w.done:
		p.mu.Lock()
		if w.prev != nil {
			p.remove(w)
			w.wake(nil, nil)
		} else if hasAwait && w.job != nil {
			w.job.leave(nil)
		}
		p.unlock()
		s = <-w.ready
	}
	if hasYield && !w.given.IsZero() {
		p.prompt.Store((7*p.prompt.Load() + 1024*min(1, int64(20*time.Microsecond/(time.Since(w.given)+1)))) / 8)
	}
	if hasHistogram {
		p.waits.count(time.Since(w.begun))
	}
	p.waited.Add(int64(time.Since(w.begun))) //poolgen:if hasStats
	if s == nil && w.err == nil {
		runtime.Gosched() // who tries again at once would keep those from running who have got something
		return nil, p.canceled(w.ctx, "acquire", w.begun, w)
	}
	if s != nil && (hasTimeout || s.turn.Load() > 0) { // a place just created may never be waited for again
		s.spare = w
	}
	return s, w.err
}

func (p *Pool) remove(w *waiter) {
	w.prev.next, w.next.prev = w.next, w.prev
	w.prev, w.next = nil, nil
	p.stats.Waiting--
}

// next takes the oldest waiter out of the queue, and on the way those whose context is done.
func (p *Pool) next() *waiter {
	for w := p.line.next; w != &p.line; w = p.line.next {
		p.remove(w)
		select {
		case <-w.done:
			w.wake(nil, nil)
		default:
			return w
		}
	}
	return nil
}

// handOver passes on a place whose lease has ended.
//
//poolgen:once
func (p *Pool) handOver(s *slot) {
	p.mu.Lock()
	if !hasServed {
		p.deliver(s)
		p.unlock()
		return
	}
	given := p.deliver(s)
	if hasDemand && given && p.stats.Vacant > 0 {
		p.served = time.Now()
	}
	p.unlock()
	// (hasYield) The waiter sits in the releaser's own run queue, and comes late if that runs on: so the releaser makes way. It need
	// (hasYield) not where waiters are prompt, as releasers soon wait there, too.
	if hasYield && given && p.prompt.Load() < promptly && !p.timed(s) {
		runtime.Gosched()
	}
}

// promptly is how many of 1,024 waiters have to come promptly for releasers not to make way.
//
//poolgen:if hasYield
const promptly = 768

// timed reports whether a hand-over is to tell how prompt waiters are: one in 16 is, but one in 1,024 where they have been late.
//
//poolgen:if hasYield
func (p *Pool) timed(s *slot) bool {
	return s.turn.Load()&4092 == 0 || s.turn.Load()&60 == 0 && (s.turn.Load() < 512 || p.prompt.Load() >= promptly)
}

// deliver passes on a place, under mu, to the oldest waiter or else to the idle ones.
// (hasServed) It reports whether a waiter got it.
func (p *Pool) deliver(s *slot) bool {
	if w := s.spare; w != nil {
		*w, p.spare, s.spare = waiter{ready: w.ready, next: p.spare}, w, nil
	}
	if hasDoom && s.doom != nil {
		p.retire(s, s.doom)
		return false
	}
	if p.closed || hasFresh && s.fresh {
		p.retire(s, &p.stats.RetiredUnwanted)
		return false
	}
	p.move(s, &p.stats.InUse)
	w := p.next()
	if w == nil {
		s.ready = false //poolgen:if hasCheck
		s.turn.Add(1)
		return false
	}
	if hasYield && p.timed(s) {
		w.given = time.Now()
	}
	w.wake(s, nil)
	return true
}

// match passes on idle places, under mu, as long as there are waiters for them.
func (p *Pool) match() {
	for p.closed || p.stats.Waiting > 0 {
		s := p.search(p.high, 0)
		if s == nil {
			return
		}
		p.deliver(s)
	}
}

// settle is match for those who don't hold mu, such as a releaser who made a place idle when somebody had begun to wait.
//
//poolgen:once
func (p *Pool) settle() {
	p.mu.Lock()
	p.match()
	p.unlock()
}

// short decides whether the queue is worth another create.
//
//poolgen:once
func (p *Pool) short() bool {
	if !hasDemand {
		return p.stats.Waiting > p.stats.Creating
	}
	queued := time.Duration(p.stats.Waiting - p.stats.Creating)
	// One is for whoever came after the latest. More are once the waiters for whom nothing is under way, and three more, would
	// wait for releases longer than a create takes, judged by how long the queue has gone without one: 45 waiters behind 5
	// leases of 2 ms cost one create of 150 ms; behind leases of 1 s all are begun within a quarter of that. With no lease
	// to wait for, 10 are begun, and the rest once these show how long leases last. Who comes long after gets one: it may hang.
	if p.stats.Waiting > 0 && p.line.prev.begun.Sub(p.dialed) > max(4*p.took, p.options.CreateTimeout/8) {
		return true
	}
	if queued <= 0 || p.stats.InUse == 0 && (!hasCheck || p.stats.Checking == 0) && (!resetsAway || p.stats.Resetting == 0) || p.stats.Creating == 0 && p.line.next.begun.Sub(p.dialed) > p.took/8 {
		return queued > 0 && p.stats.Creating < 10
	}
	again := p.took/(queued+3) - time.Since(p.served)
	if again > 0 {
		p.timer.Reset(again)
	}
	return again <= 0
}

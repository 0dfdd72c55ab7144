package pool

import "time"

// mayBarge reports, under mu, whether requesters may go before those who wait. As with sync.Mutex, that trades order for
// throughput: who comes to a place that has just been released need not wait, and often it is its releaser who comes back.
//
//poolgen:if hasBarging
func (p *Pool) mayBarge() bool {
	if p.options.Barging == 0 || p.closed || hasDrain && p.draining || hasVetting && p.line.next.job != nil {
		return false
	}
	left := p.options.Barging - time.Since(p.line.next.begun)
	if left > 0 && !p.impatient {
		p.impatient = true
		p.patience.Reset(left)
	}
	return left > 0
}

// endBarging has unlock ask mayBarge again when somebody has waited for too long, if that one still does.
//
//poolgen:if hasBarging
func (p *Pool) endBarging() {
	p.mu.Lock()
	p.impatient = false
	p.unlock()
}

// owed reports whether a place that is released is for those who wait: every eighth time it is although requesters may go
// before them, and always if waiters come late to what is left for them.
//
//poolgen:if hasBarging
func (p *Pool) owed(turn uint64) bool {
	limit := p.limit.Load()
	return limit <= 0 && (limit == 0 || turn&28 == 28 || p.prompt.Load() < promptly)
}

// offer leaves a place that was made idle, although somebody waits, to whoever comes. A goroutine passes it on that begins
// when the releaser stops, or at once if a processor has nothing else to do.
//
//poolgen:if hasBarging
func (p *Pool) offer() {
	if p.limit.Load() == 0 {
		p.settle()
	} else if p.passing.CompareAndSwap(false, true) {
		go p.passOn()
	}
}

// passIdle passes on what is idle to those who wait.
//
//poolgen:if hasBarging
func (p *Pool) passIdle() {
	p.passing.Store(false) // first: who makes a place idle from here on sees to that again
	for i := p.places(); i > 0 && p.limit.Load() <= 0; i-- {
		s := p.search(p.places(), 0)
		if s == nil {
			return
		}
		p.handOver(s)
	}
}

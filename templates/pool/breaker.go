package pool

import "time"

// tripped reports whether so many creates have failed in a row that the pool spares the server.
//
//poolgen:if hasBreaker
func (p *Pool) tripped() bool {
	return p.options.BreakAfter > 0 && p.failures >= p.options.BreakAfter
}

// broken reports whether there may be no create now: one at a time may see, after a while, whether the server
// is back.
//
//poolgen:if hasBreaker
func (p *Pool) broken() bool {
	return p.tripped() && (p.stats.Creating > 0 || time.Until(p.mended) > 0)
}

// trip stops creates for a while. If there is no connection to wait for, it sends those home who wait.
//
//poolgen:if hasBreaker
func (p *Pool) trip(err error) {
	p.mended = time.Now().Add(p.options.BreakTime)
	p.timer.Reset(p.options.BreakTime)
	for p.lifeless() && p.stats.Waiting > 0 {
		if w := p.next(); w != nil {
			p.wake(w, nil, err)
		}
	}
}

// lifeless reports whether there is no connection to wait for.
//
//poolgen:if hasBreaker
func (p *Pool) lifeless() bool {
	alive := p.stats.InUse
	alive += p.stats.Checking  //poolgen:if hasCheck
	alive += p.stats.Resetting //poolgen:if resetsAway
	return alive == 0
}

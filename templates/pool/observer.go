package pool

import "time"

// why is what an observer is told of the reason for which a connection is retired.
//
//poolgen:if observesRetired
func (p *Pool) why(reason *uint64) string {
	switch reason {
	case &p.stats.RetiredUnhealthy: //poolgen:if hasCheck
		return "unhealthy"
	case &p.stats.RetiredBroken: //poolgen:if hasJudges || resetsAway || hasBeforeAcquire
		return "broken"
	case &p.stats.RetiredDiscarded:
		return "discarded"
	case &p.stats.RetiredExpired: //poolgen:if hasLifetime
		return "expired"
	case &p.stats.RetiredIdle: //poolgen:if hasIdle
		return "idle"
	case &p.stats.RetiredSurplus: //poolgen:if hasIdle || hasResize || hasKeyed
		return "surplus"
	case &p.stats.RetiredReset: //poolgen:if hasReset
		return "reset"
	case &p.stats.RetiredLost: //poolgen:if hasLeaks
		return "lost"
	}
	return "unwanted"
}

// observe tells the observer of a connection that was created, whatever becomes of it, and of a job that has failed,
// but not again when it comes to its end after it was given up.
//
//poolgen:if observesCreated || observesCreateFailed || observesCheckFailed
func (p *Pool) observe(s *slot, j *job, conn *Conn, err error) {
	p.mu.Lock()
	news := p.jobs[s] == j && !j.told
	j.told = j.told || news && err != nil
	p.mu.Unlock()
	if observesCreated && j.op == "create" && (err == nil && (hasClose || news) || hasClose && !byValue && conn != nil) {
		observeCreated(p.options.Observer, time.Since(j.begun))
	}
	if observesCreateFailed && j.op == "create" && news && err != nil {
		observeCreateFailed(p.options.Observer, err)
	}
	if observesCheckFailed && j.op == "health check" && news && err != nil {
		observeCheckFailed(p.options.Observer, err)
	}
}

// acquired tells the observer of a lease that begins. If it panics, that is the requester's, but the place goes on.
//
//poolgen:if observesAcquired
func (p *Pool) acquired(s *slot, waited time.Duration) {
	told := false
	defer p.spoilt(s, &told)
	observeAcquired(p.options.Observer, waited)
	told = true
}

// released tells the observer of a release. If it panics, that is the releaser's, but the place goes on.
//
//poolgen:if observesReleased
func (p *Pool) released(s *slot) {
	told := false
	defer p.spoilt(s, &told)
	observeReleased(p.options.Observer)
	told = true
}

// spoilt retires the connection of a place if the observer was not told to the end.
//
//poolgen:if observesAcquired || observesReleased
func (p *Pool) spoilt(s *slot, told *bool) {
	if !*told {
		p.drop(s, &p.stats.RetiredDiscarded)
	}
}

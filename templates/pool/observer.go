package pool

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

// released tells the observer of the end of a lease. If it panics, that is the releaser's, but the place goes on.
//
//poolgen:if observesReleased
func (p *Pool) released(s *slot) {
	told := false
	defer func() {
		if !told {
			p.drop(s, &p.stats.RetiredDiscarded)
		}
	}()
	observeReleased(p.options.Observer)
	told = true
}

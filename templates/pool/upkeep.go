package pool

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// age is what the upkeep knows of the connection of a place, guarded by mu.
//
//poolgen:if hasUpkeep
type age struct {
	expires time.Duration //poolgen:if hasLifetime // since the pool was made, drawn once per connection; 0 is never
	turn    uint64        //poolgen:if hasIdle // of the place when it was last looked at,
	since   uint32        //poolgen:if hasIdle // which it has had since this tick
	checked uint32        //poolgen:if hasBackground // the tick of the latest check
}

// schedule sets the time between the ticks of the upkeep, if an option needs any, and begins with them if
// connections are wanted already. Else the first connection does.
//
//poolgen:if hasUpkeep
func (p *Pool) schedule() {
	o := &p.options
	p.period = math.MaxInt64
	if hasLifetime && o.MaxLifetime > 0 {
		p.period = min(p.period, max(o.MaxLifetime/64, o.MaxLifetimeJitter/8))
	}
	if hasIdle && o.IdleTimeout > 0 {
		p.period = min(p.period, o.IdleTimeout/8)
	}
	if hasIdle && o.MinIdle+o.MaxIdle > 0 {
		p.period = min(p.period, time.Second)
	}
	if hasBackground && o.HealthCheckPeriod > 0 {
		p.period = min(p.period, o.HealthCheckPeriod/4)
	}
	if hasLeaks && o.LeakThreshold > 0 {
		p.period = min(p.period, o.LeakThreshold/4)
	}
	p.period = max(p.period, time.Millisecond)
	p.made = time.Now()
	p.ticker = time.AfterFunc(math.MaxInt64, p.upkeep)
	p.ticker.Stop()
	p.resting = p.period < math.MaxInt64
	if hasIdle && o.MinIdle > 0 {
		p.resting = false
		p.ticker.Reset(0)
	}
}

// age begins the life of a place's connection.
//
//poolgen:if hasUpkeep
func (p *Pool) age(s *slot) {
	a := &p.ages[s.index]
	*a = age{}
	if hasLifetime && p.options.MaxLifetime > 0 {
		life := p.options.MaxLifetime - time.Duration(rand.N(uint64(p.options.MaxLifetimeJitter)+1))
		a.expires = time.Since(p.made) + min(max(life, 1), math.MaxInt64/4) // the quarter of what time can tell is 73 years
	}
	if hasBackground {
		a.checked = p.ticks - rand.N(uint32(p.options.HealthCheckPeriod/p.period)/2+1)
	}
	if p.resting && !p.closed {
		p.resting = false
		p.ticker.Reset(p.period)
	}
}

// upkeep does what time alone brings about, at every tick while the pool has connections, or should have.
// How long a connection has been idle it knows by its turn: nobody has to look at a clock on release.
//
//poolgen:if hasUpkeep
func (p *Pool) upkeep() {
	p.mu.Lock()
	defer p.unlock()
	if p.closed {
		return
	}
	p.ticks++
	if hasLeaks && p.options.LeakThreshold > 0 {
		go p.report(p.leases(p.options.LeakThreshold, true))
	}
	if hasIdle {
		p.thin()
		p.refill()
	}
	if hasBackground && p.options.HealthCheckPeriod > 0 {
		p.recheck()
	}
	if hasLifetime && p.options.MaxLifetime > 0 {
		p.expire()
	}
	p.resting = p.high == 0 && (!hasIdle || p.options.MinIdle == 0)
	if !p.resting {
		p.ticker.Reset(p.period)
	}
}

// thin retires connections that have been idle for too long, and those that are too many.
//
//poolgen:if hasIdle
func (p *Pool) thin() {
	idle := 0
	for i := range p.high {
		a, turn := &p.ages[i], p.place(i).turn.Load()
		if turn != a.turn {
			a.turn, a.since = turn, p.ticks
		}
		if turn&1 == 1 && (!hasLifetime || p.lasts(a)) {
			idle++
		}
	}
	for i := p.high - 1; i >= 0; i-- {
		s, a, reason := p.place(i), &p.ages[i], &p.stats.RetiredIdle
		if a.turn&1 == 0 {
			continue
		}
		if p.options.MaxIdle > 0 && idle > p.options.MaxIdle {
			reason = &p.stats.RetiredSurplus
		} else if timeout := p.options.IdleTimeout; timeout == 0 || idle <= p.options.MinIdle || time.Duration(p.ticks-a.since)*p.period < timeout {
			continue
		}
		if !hasLifetime || p.lasts(a) {
			idle-- // even if somebody has just taken it
		}
		if s.turn.CompareAndSwap(a.turn, a.turn-1) {
			p.retire(s, reason)
		}
	}
}

// lasts reports whether a connection is not about to expire, so that there is time to create its successor. One
// that is doesn't count as idle any more, neither for MinIdle nor for MaxIdle: both of them are there for a while.
//
//poolgen:if hasIdle && hasLifetime
func (p *Pool) lasts(a *age) bool {
	return a.expires == 0 || a.expires > time.Since(p.made)+3*p.period+p.took
}

// refill creates connections where MinIdle wants them. While creates fail, it tries one at a time, less and less often.
//
//poolgen:if hasIdle
func (p *Pool) refill() {
	missing := p.options.MinIdle - p.stats.Creating
	for i := range p.high {
		if p.place(i).turn.Load()&1 == 1 && (!hasLifetime || p.lasts(&p.ages[i])) {
			missing--
		}
	}
	if hasDrain && p.draining || p.failures > 0 && int32(p.ticks-p.refillAt) < 0 {
		return
	}
	if p.failures > 0 {
		missing = min(missing, 1)
	}
	for ; missing > 0 && p.stats.Vacant > 0 && (!hasLimits || p.stats.Creating < p.options.MaxConcurrentCreates) && (!hasBreaker || !p.broken()) && (!hasKeyed || p.afford()); missing-- {
		p.refillAt = p.ticks + 1 + rand.N(uint32(1)<<min(p.failures, 6))
		p.start(context.Background(), p.vacancy(), &job{op: "create", state: &p.stats.Creating})
	}
}

// recheck has connections checked that have been idle since their latest check, at most a quarter at a time, for
// requesters need them too. It begins at another place each time, or slow checks of the first would starve the last.
//
//poolgen:if hasBackground
func (p *Pool) recheck() {
	for n := range uint32(p.high) {
		if p.stats.Checking >= (p.high+3)/4 {
			return
		}
		i := int((n + p.ticks) % uint32(p.high))
		s, a := p.place(i), &p.ages[i]
		if time.Duration(p.ticks-a.checked)*p.period < p.options.HealthCheckPeriod {
			continue
		}
		if turn := s.turn.Load(); turn&1 == 1 && s.turn.CompareAndSwap(turn, turn-1) {
			a.checked = p.ticks
			p.start(context.Background(), s, &job{op: "health check", state: &p.stats.Checking})
		}
	}
}

// expire retires connections that would be older than MaxLifetime at the next tick.
//
//poolgen:if hasLifetime
func (p *Pool) expire() {
	soon := time.Since(p.made) + p.period
	for i := p.high - 1; i >= 0; i-- {
		if s, a := p.place(i), &p.ages[i]; a.expires != 0 && a.expires <= soon {
			p.doom(s, &p.stats.RetiredExpired)
		}
	}
}

package pool

import (
	"context"
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

// schedule sets the time between the ticks of the upkeep, and begins with them.
//
//poolgen:if hasUpkeep
func (p *Pool) schedule() {
	o := &p.options
	p.period = time.Hour
	if hasLifetime && o.MaxLifetime > 0 {
		p.period = min(p.period, max(o.MaxLifetime/64, o.MaxLifetimeJitter/8))
	}
	if hasIdle && o.IdleTimeout > 0 {
		p.period = min(p.period, o.IdleTimeout/4)
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
	p.mu.Lock()
	p.ticker = time.AfterFunc(0, p.upkeep)
	p.mu.Unlock()
}

// age begins the life of a place's connection.
//
//poolgen:if hasUpkeep
func (p *Pool) age(s *slot) {
	a := &p.ages[s.index]
	*a = age{}
	if hasLifetime && p.options.MaxLifetime > 0 {
		a.expires = time.Since(p.made) + p.options.MaxLifetime - rand.N(p.options.MaxLifetimeJitter+1)
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
// How long a connection has been idle it knows by its turn: nobody looks at a clock on release.
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
		idle += int(turn & 1)
	}
	for i := p.high - 1; i >= 0; i-- {
		s, a, reason := p.place(i), &p.ages[i], &p.stats.RetiredIdle
		if p.options.MaxIdle > 0 && idle > p.options.MaxIdle {
			reason = &p.stats.RetiredSurplus
		} else if timeout := p.options.IdleTimeout; timeout == 0 || idle <= p.options.MinIdle || time.Duration(p.ticks-a.since)*p.period < timeout {
			continue
		}
		if a.turn&1 == 1 && s.turn.CompareAndSwap(a.turn, a.turn-1) {
			p.retire(s, reason)
			idle--
		}
	}
}

// refill creates connections where MinIdle wants them. Those about to expire don't count, so their
// successors are there first. While creates fail, it tries less and less often.
//
//poolgen:if hasIdle
func (p *Pool) refill() {
	missing := p.options.MinIdle - p.stats.Creating
	for i := range p.high {
		if p.place(i).turn.Load()&1 == 1 && (!hasLifetime || p.ages[i].expires == 0 || p.ages[i].expires > time.Since(p.made)+3*p.period+p.took) {
			missing--
		}
	}
	if p.ticks < p.refillAt || hasDrain && p.draining {
		return
	}
	for ; missing > 0 && p.stats.Vacant > 0 && (!hasLimits || p.stats.Creating < p.options.MaxConcurrentCreates) && (!hasBreaker || !p.broken()) && (!hasKeyed || p.afford()); missing-- {
		p.refillAt = p.ticks + rand.N(uint32(1)<<min(p.failures, 6)) + 1
		p.start(context.Background(), p.vacancy(), &job{op: "create", state: &p.stats.Creating})
	}
}

// recheck has connections checked that have been idle since their latest check, a few at a time: requesters
// need them too.
//
//poolgen:if hasBackground
func (p *Pool) recheck() {
	for i := 0; i < p.high && p.stats.Checking < max(1, p.high/4); i++ {
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
		if a := &p.ages[i]; a.expires != 0 && a.expires <= soon {
			p.doom(p.place(i), &p.stats.RetiredExpired)
		}
	}
}

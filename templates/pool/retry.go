package pool

import (
	"context"
	"math/rand/v2"
	"time"
)

// again has a create that failed tried again after a pause, which is random and grows, if a try and time are left.
// (hasClose) A connection that was refused is closed before that, in what time the create has.
//
//poolgen:if hasRetry
func (p *Pool) again(s *slot, j *job, conn *Conn, err error) bool {
	j.tries++
	pause := 25 * time.Millisecond << min(j.tries, 6)
	pause += rand.N(pause)
	until, _ := j.ctx.Deadline()
	if p.closed || j.tries > p.options.CreateRetries || j.ctx.Err() != nil || time.Until(until) < pause {
		return false
	}
	j.err = err
	j.told = false                                         //poolgen:if observesCreated || observesCreateFailed || observesCheckFailed
	p.stats.CreateFailures++                               //poolgen:if hasStats
	p.stats.LastError = &PoolError{Op: "create", Err: err} //poolgen:if hasStats
	var closing context.Context                            //poolgen:if hasClose && !byValue
	if hasClose && !byValue && conn != nil {
		p.stats.Created++ //poolgen:if hasStats
		refused := p.outside(conn)
		p.jobs[refused] = j
		p.retire(refused, &p.stats.RetiredUnwanted)
		closing = p.jobs[refused].ctx
	}
	go func() {
		select {
		case <-time.After(pause):
		case <-j.ctx.Done():
		}
		if hasClose && !byValue && closing != nil {
			<-closing.Done()
		}
		p.run(s, j, none)
	}()
	return true
}

package pool

import (
	"context"
	"errors"
	"time"
)

// errAcquireTimeout is why a requester's context ends when AcquireTimeout is over.
//
//poolgen:if hasTimeout
var errAcquireTimeout = errors.New("the AcquireTimeout of the pool is over")

// checkInTime has a connection checked. If its requester has waited for it, AcquireTimeout goes on as it began then.
//
//poolgen:if hasTimeout && hasCheck
func (p *Pool) checkInTime(ctx context.Context, s *slot, obtained bool) (*slot, error) {
	if p.options.AcquireTimeout > 0 {
		until := time.Now().Add(p.options.AcquireTimeout)
		if obtained {
			until, _ = s.spare.ctx.Deadline()
		}
		shorter, cancel := context.WithDeadlineCause(ctx, until, errAcquireTimeout)
		defer cancel()
		ctx = shorter
	}
	done, begun := ctx.Done(), time.Now()
	p.mu.Lock()
	return p.await(p.waiter(ctx, done, begun), s, &job{op: "health check", state: &p.stats.Checking})
}

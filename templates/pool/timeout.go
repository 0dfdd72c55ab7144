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

// inTime bounds another wait of a requester. If it has waited for the place that it has, AcquireTimeout goes on as it
// began then.
//
//poolgen:if hasTimeout && hasVetting
func (p *Pool) inTime(ctx context.Context, s *slot, obtained bool) (context.Context, context.CancelFunc) {
	if p.options.AcquireTimeout == 0 {
		return ctx, func() {}
	}
	until := time.Now().Add(p.options.AcquireTimeout)
	if obtained {
		until, _ = s.spare.ctx.Deadline()
	}
	return context.WithDeadlineCause(ctx, until, errAcquireTimeout)
}

// checkInTime has a connection checked while its requester waits.
//
//poolgen:if hasTimeout && hasCheck
func (p *Pool) checkInTime(ctx context.Context, s *slot, obtained bool) (*slot, error) {
	ctx, cancel := p.inTime(ctx, s, obtained)
	defer cancel()
	return p.check(ctx, s)
}

// anotherInTime is another while there is time.
//
//poolgen:if hasTimeout && hasBeforeAcquire
func (p *Pool) anotherInTime(ctx context.Context, s *slot, obtained bool) (*slot, error) {
	ctx, cancel := p.inTime(ctx, s, obtained)
	defer cancel()
	return p.another(ctx, s)
}

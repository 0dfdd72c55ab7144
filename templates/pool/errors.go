package pool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrPoolClosed is the error of requesters of a closed pool.
var ErrPoolClosed = errors.New("Pool: the pool is closed")

// ErrPoolExhausted is the error of those who need a place, and may not wait for one, while all are taken.
//
//poolgen:if hasRefusals || hasInsert || hasKeyed
var ErrPoolExhausted = errors.New("Pool: all places are taken")

// PoolError is the error of an operation of the pool, or of a hook that it called.
type PoolError struct {
	Op  string
	Err error // the cause: what the hook returned, or why the context ended

	waited  time.Duration //poolgen:if hasStats // until then
	latest  error         //poolgen:if hasStats // failure before that
	holders string        //poolgen:if hasLeaks // of leases then

	size, inUse, filling, busy, waiting int //poolgen:if hasStats // how many places were what
}

// Error is put together only if somebody reads it: where requesters give up in masses, nobody does.
func (e *PoolError) Error() string {
	if !hasStats && !hasLeaks {
		return e.plain()
	}
	text := e.plain()
	if hasStats && e.size > 0 {
		text += fmt.Sprintf(" (waited %v; of %d places %d are in use, %d being filled, %d otherwise busy; %d others wait; last failure: %v)",
			e.waited, e.size, e.inUse, e.filling, e.busy, e.waiting, e.latest)
	}
	text += e.holders //poolgen:if hasLeaks
	return text
}

// plain is the error without what the pool looked like.
//
//poolgen:once
func (e *PoolError) plain() string { return "Pool: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *PoolError) Unwrap() error { return e.Err }

// canceled is the error of an operation whose context has ended.
// (hasStats) Its waiter, if any, is not needed any more.
func (p *Pool) canceled(ctx context.Context, op string, begun time.Time, w *waiter) error {
	e := &PoolError{Op: op, Err: ctx.Err()}
	if cause := context.Cause(ctx); cause != e.Err {
		e.Err = fmt.Errorf("%w: %w", e.Err, cause)
	}
	if hasStats {
		p.mu.Lock()
		p.stats.Canceled++
		if w != nil || p.closed || hasDrain && p.draining { // nobody waits beside an idle place
			e.size, e.inUse, e.filling, e.waiting, e.latest = p.stats.MaxSize, p.stats.InUse, p.stats.Creating, p.stats.Waiting, p.stats.LastError
			e.waited, e.busy = time.Since(begun), e.size-e.inUse-e.filling-p.stats.Vacant
		}
		if w != nil {
			*w, p.spare = waiter{ready: w.ready, next: p.spare}, w
		}
		p.mu.Unlock()
	}
	if hasLeaks && op != "acquire" {
		for _, leak := range p.Leases(0) {
			e.holders += fmt.Sprintf("\n\nleased for %v, acquired by:\n%s", time.Since(leak.Since), leak.Stack)
		}
	}
	return e
}

// noReturn is the format of the error of a hook that panicked or, if with nil, ended its goroutine.
//
//poolgen:once
const noReturn = "did not return: panic %v\n\n%s"

package pool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrPoolClosed is the error of requesters of a closed pool.
	ErrPoolClosed = errors.New("Pool: the pool is closed")
	// ErrPoolExhausted is the error of requesters who may not wait for a place while all are taken.
	ErrPoolExhausted = errors.New("Pool: all places are taken")
)

// PoolError is the error of an operation of the pool, or of a hook that it called.
type PoolError struct {
	Op      string
	Err     error         // the cause: what the hook returned, or why the context ended
	pool    *PoolStats    //poolgen:if hasStats // as it was when the context ended,
	waited  time.Duration //poolgen:if hasStats // after so long
	holders string        //poolgen:if hasLeaks // of leases, then
}

// Error is put together only if somebody reads it: where requesters give up in masses, nobody does.
func (e *PoolError) Error() string {
	text := "Pool: " + e.Op + ": " + e.Err.Error()
	if st := e.pool; hasStats && st != nil {
		text += fmt.Sprintf(" (waited %v; of %d places %d are in use, %d idle, %d being filled", e.waited, st.MaxSize, st.InUse, st.Idle, st.Creating)
		if hasCheck || hasClose || resetsAway {
			text += fmt.Sprintf(", %d being checked, reset or closed", st.MaxSize-st.InUse-st.Idle-st.Creating-st.Vacant)
		}
		text += fmt.Sprintf("; %d others wait; last failure: %v)", st.Waiting, st.LastError)
	}
	text += e.holders //poolgen:if hasLeaks
	return text
}

// Unwrap returns the cause.
func (e *PoolError) Unwrap() error { return e.Err }

// canceled is the error of an operation whose context has ended.
func (p *Pool) canceled(ctx context.Context, op string, begun time.Time) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); cause != err {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	e := &PoolError{Op: op, Err: err}
	if hasStats {
		p.mu.Lock()
		p.stats.Canceled++
		p.mu.Unlock()
		st := p.Stats()
		e.pool, e.waited = &st, time.Since(begun)
	} else {
		e.Err = fmt.Errorf("%w (waited %v)", err, time.Since(begun))
	}
	if hasLeaks && op != "acquire" {
		for _, leak := range p.Leases(0) {
			e.holders += fmt.Sprintf("\n\nleased for %v, acquired by:\n%s", time.Since(leak.Since), leak.Stack)
		}
	}
	return e
}

// noReturn is the format of the error of a hook that panicked or, if with nil, ended its goroutine.
const noReturn = "did not return: panic %v\n\n%s"

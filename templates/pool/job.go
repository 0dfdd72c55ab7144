package pool

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// job is what a goroutine of the pool does on a place that is the pool's. A job that overruns its time is
// given up: the place goes on without it.
type job struct {
	to       phase
	slot     *slot
	ctx      context.Context // the requester's values with the job's own timeout; nil before it begins
	cancel   context.CancelFunc
	timer    *time.Timer // gives the job up
	begun    time.Time
	waiter   *waiter                                   // gets the outcome, if it is not for the queue
	create   func(context.Context, int) (*Conn, error) // of Warm
	index    int                                       // for that
	filled   bool                                      // the connection is there, for the waiter
	unwanted bool                                      // nobody may get the connection
}

// start starts a job under mu.
func (p *Pool) start(ctx context.Context, s *slot, j *job) {
	timeout := p.options.CreateTimeout
	if hasCheck && j.to != creating {
		timeout = p.options.HealthCheckTimeout
	}
	j.begun = time.Now()
	j.ctx, j.cancel = context.WithTimeout(context.WithoutCancel(ctx), timeout)
	// A hook that heeds its context gets a little longer, so that it can tell what went wrong.
	j.timer = time.AfterFunc(timeout+timeout/64, func() {
		p.finish(s, j, nil, fmt.Errorf("did not return in time and was given up: %w", context.DeadlineExceeded))
	})
	s.job, j.slot = j, s
	if j.forQueue() {
		p.coming++
	}
	p.move(s, j.to)
	if p.closed && j.to == creating {
		go p.finish(s, j, nil, ErrPoolClosed)
	} else {
		go p.run(s, j, s.conn)
	}
}

// run is the goroutine of a job. It calls the hook, and survives whatever that does.
func (p *Pool) run(s *slot, j *job, conn *Conn) {
	var err error
	returned := false
	defer func() {
		if !returned {
			err = fmt.Errorf(noReturn, recover(), debug.Stack())
		}
		p.finish(s, j, conn, err)
	}()
	switch j.to {
	case creating:
		if j.create != nil {
			conn, err = j.create(j.ctx, j.index)
		} else {
			conn, err = createConn(j.ctx, p.context)
		}
		if conn == nil && err == nil {
			err = errors.New("returned neither a connection nor an error")
		}
	case checking, suspect: //poolgen:if hasCheck
		// A goroutine that gets to run too late may find the connection given up.
		if err = j.ctx.Err(); err == nil {
			err = healthCheck(j.ctx, conn, p.context)
		}
	case resetting: //poolgen:if resetsAway
		if err = j.ctx.Err(); err == nil {
			err = resetConn(j.ctx, conn, p.context)
		}
	case closing: //poolgen:if hasClose
		err = closeConn(j.ctx, conn, p.context)
	}
	returned = true
}

// finish ends a job, unless it has been given up.
func (p *Pool) finish(s *slot, j *job, conn *Conn, err error) {
	p.mu.Lock()
	defer p.unlock()
	if p.closed && j.to == creating {
		err = ErrPoolClosed
	}
	if hasClose && j.to == creating && conn != nil && (s.job != j || err != nil) {
		p.stats.Created++
		p.retire(&slot{pool: p, fresh: true, conn: conn}, &p.stats.RetiredUnwanted)
	}
	if s.job != j {
		return
	}
	if j.forQueue() {
		p.coming--
	}
	w := j.waiter
	s.job, j.waiter = nil, nil
	j.timer.Stop()
	j.cancel()
	if err != nil {
		err = &PoolError{ops[j.to], err}
		p.stats.LastError = err
	}
	switch {
	case j.to == closing: //poolgen:if hasClose
		p.move(s, vacant)
		return
	case j.to == creating && err == nil:
		p.stats.Created++
		p.took = time.Since(j.begun)
		if p.in[live] == 0 {
			p.served = time.Now()
		}
		s.conn = conn
		s.ready = true //poolgen:if hasCheck
		p.move(s, live)
	case j.to == creating:
		p.stats.CreateFailures++
		p.move(s, vacant)
		// A failure is for the oldest waiter, unless that one came well after the create had begun.
		if oldest := p.line.next; w == nil && !j.unwanted && !s.fresh && time.Since(oldest.begun) >= time.Since(j.begun)*7/8 {
			w = p.next()
		}
		// With nothing alive, it is for all who have waited as long as a create may take.
		for p.in[live] == 0 && p.waiting > 0 && time.Since(p.line.next.begun) >= p.options.CreateTimeout {
			if other := p.next(); other != nil {
				other.wake(nil, err)
			}
		}
	case err == nil: //poolgen:if hasCheck || resetsAway
		s.ready = j.to == checking || j.to == suspect //poolgen:if hasCheck
		p.move(s, live)
	case j.to == resetting: //poolgen:if resetsAway
		p.retire(s, &p.stats.RetiredBroken)
	default: //poolgen:if hasCheck
		p.retire(s, &p.stats.RetiredUnhealthy)
		if j.to == checking {
			p.suspect()
		}
		if w != nil && !p.closed { // it was its turn, and still is
			p.insert(w, &p.line)
			return
		}
	}
	switch {
	case err == nil && j.unwanted:
		p.retire(s, &p.stats.RetiredUnwanted)
	case err != nil && w != nil:
		w.wake(nil, err)
	case w != nil:
		j.filled = true
		w.wake(s, nil)
	case err == nil:
		if p.deliver(s) && j.to != creating {
			p.served = time.Now()
		}
	}
}

// suspect has the idle connections checked after one has failed its check: what has hit that one may have
// hit them too, and no requester should have to try one after the other.
//
//poolgen:if hasCheck
func (p *Pool) suspect() {
	for s := p.search(p.high, 0); s != nil; s = p.search(p.high, 0) {
		p.start(context.Background(), s, &job{to: suspect})
	}
}

// forQueue reports whether the job is a create whose connection goes to the queue.
func (j *job) forQueue() bool { return j.to == creating && j.waiter == nil && !j.slot.fresh }

// leave makes the outcome of a job go to the queue, if it was for a waiter, who gets err.
func (j *job) leave(p *Pool, err error) {
	if w := j.waiter; w != nil {
		j.waiter = nil
		if j.forQueue() {
			p.coming++
		}
		w.wake(nil, err)
	}
}

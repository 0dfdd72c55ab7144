package pool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// job is what a goroutine of the pool does on a place that is the pool's. A job that overruns its time is
// given up: the place goes on without it.
type job struct {
	to      phase
	ctx     context.Context // the requester's values with the job's own timeout
	cancel  context.CancelFunc
	timer   *time.Timer // gives the job up
	begun   time.Time
	ticket  uint64                                    // of the youngest waiter then
	done    chan error                                // of a caller of await, who gets the outcome
	private bool                                      // and the connection, or nobody does
	create  func(context.Context, int) (*Conn, error) // instead of the usual create, if not nil
	index   int
}

// start starts a job under mu.
func (p *Pool) start(ctx context.Context, s *slot, j *job) {
	timeout := p.options.CreateTimeout
	if hasCheck && j.to != creating {
		timeout = p.options.HealthCheckTimeout
	}
	j.begun, j.ticket = time.Now(), p.tickets
	j.ctx, j.cancel = context.WithTimeout(context.WithoutCancel(ctx), timeout)
	// A hook that heeds its context gets a little longer, so that it can tell what went wrong.
	j.timer = time.AfterFunc(timeout+timeout/64, func() {
		p.finish(s, j, nil, fmt.Errorf("did not return in time and was given up: %w", context.DeadlineExceeded))
	})
	s.job = j
	p.move(s, j.to)
	go p.run(s, j, s.conn)
}

// run is the goroutine of a job. It calls the hook, and survives whatever that does.
func (p *Pool) run(s *slot, j *job, conn *Conn) {
	var err error
	returned := false
	defer func() {
		if !returned {
			err = noReturn(recover())
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
		err = healthCheck(j.ctx, conn, p.context)
	case resetting: //poolgen:if resetsAway
		err = resetConn(j.ctx, conn, p.context)
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
	s.job = nil
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
		s.isNew = true //poolgen:if hasCheck
		p.move(s, live)
	case j.to == creating:
		p.stats.CreateFailures++
		p.move(s, vacant)
		if j.done != nil || j.private {
			break
		}
		// The error goes to the oldest waiter, if it was there when the create began.
		if w := p.next(j.ticket); w != nil {
			w.err = err
			w.ready <- nil
		}
	case err == nil: //poolgen:if hasCheck || resetsAway
		p.move(s, live)
	case j.to == resetting: //poolgen:if resetsAway
		p.retire(s, &p.stats.RetiredBroken)
	default: //poolgen:if hasCheck
		// What has hit this connection may have hit the idle ones too: they are checked now, so that no
		// requester has to try one after the other.
		p.retire(s, &p.stats.RetiredUnhealthy)
		for j.to == checking {
			idle := p.search(p.high, 0)
			if idle == nil {
				break
			}
			p.start(context.Background(), idle, &job{to: suspect})
		}
	}
	switch {
	case j.done != nil:
		j.done <- err
	case err != nil:
	case j.private:
		p.retire(s, &p.stats.RetiredUnwanted)
	default:
		p.deliver(s)
	}
}

// await starts a job for the caller, and returns its outcome. If ctx ends before, what comes of the job
// is for others, unless it is private.
func (p *Pool) await(ctx context.Context, s *slot, j *job) error {
	begun, done := time.Now(), make(chan error, 1)
	j.done = done
	p.mu.Lock()
	if p.closed && j.to == creating {
		p.move(s, vacant)
		p.unlock()
		return ErrPoolClosed
	}
	p.start(ctx, s, j)
	p.unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	p.mu.Lock()
	j.done = nil
	p.mu.Unlock()
	select {
	case err := <-done:
		return err
	default:
		return p.canceled(ctx, "acquire", begun)
	}
}

// check leases the connection of a place that is the caller's if it passes a health check. Otherwise one
// is created in its place, and the requester, who had its turn already, is the next in the queue.
//
//poolgen:if hasCheck
func (p *Pool) check(ctx context.Context, s *slot) (Lease, error) {
	err := p.await(ctx, s, &job{to: checking})
	if err == nil {
		return s.lease(), nil
	}
	if ctx.Err() != nil {
		return Lease{}, err
	}
	return p.acquire(ctx, again)
}

package pool

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// job is what a goroutine of the pool does on a place, which goes on without it if it overruns its time.
type job struct {
	op     string                               // what errors call it
	state  *int                                 // what the place is counted as meanwhile
	waiter *waiter                              //poolgen:if hasAwait // gets the outcome, if it is not for the queue
	create func(context.Context) (*Conn, error) //poolgen:if hasWarm // in place of the hook
	begun  time.Time
	told   bool            //poolgen:if observesCreated || observesCreateFailed || observesCheckFailed // the observer, of the failure
	tries  int             //poolgen:if hasRetry // that have failed,
	err    error           //poolgen:if hasRetry // the latest like this
	ctx    context.Context // the requester's values with the job's own timeout
	cancel context.CancelFunc
	timer  *time.Timer // gives the job up
}

// start starts a job under mu.
//
//poolgen:once
func (p *Pool) start(ctx context.Context, s *slot, j *job) {
	timeout := p.options.CreateTimeout
	if hasCheck && j.op != "create" {
		timeout = p.options.HealthCheckTimeout
	}
	if hasRetry && hasClose && p.jobs[s] != nil { // that create goes on after this close, for which it has refused the connection
		until, _ := p.jobs[s].ctx.Deadline()
		timeout = min(timeout, time.Until(until))
	}
	j.begun = time.Now()
	j.ctx, j.cancel = context.WithTimeout(context.WithoutCancel(ctx), timeout)
	// A hook that heeds its context gets a little longer, so that it can tell what went wrong.
	j.timer = time.AfterFunc(timeout+min(timeout/4, max(timeout/64, 40*time.Millisecond)), func() {
		p.finish(s, j, none, fmt.Errorf("did not return in time and was given up: %w", context.DeadlineExceeded))
	})
	p.jobs[s] = j
	p.move(s, j.state)
	go p.run(s, j, s.conn)
}

// run is the goroutine of a job. It calls the hook, and survives whatever that does.
func (p *Pool) run(s *slot, j *job, conn *Conn) {
	var err error
	var cleanup func() //poolgen:if hasCleanup
	returned := false
	defer func() {
		if !returned {
			err = fmt.Errorf(noReturn, recover(), debug.Stack())
		}
		p.finish(s, j, conn, err)
	}()
	switch j.op { //poolgen:if hasJobs
	case "create":
		if hasRetry && j.err != nil && j.ctx.Err() != nil {
			err = j.err
		} else if hasWarm && j.create != nil {
			conn, err = j.create(j.ctx)
		} else {
			conn, cleanup, err = createConn(j.ctx, p.context)
		}
		if hasCleanup && cleanup != nil {
			p.keep(conn, cleanup)
		}
		if !byValue && conn == nil && err == nil {
			err = errors.New("returned neither a connection nor an error")
		}
		if hasAfterCreate && err == nil {
			err = afterCreate(j.ctx, conn, p.context)
		}
	case "health check": //poolgen:if hasCheck
		// A goroutine that gets to run too late may find the connection given up.
		if err = j.ctx.Err(); err == nil {
			err = healthCheck(j.ctx, conn, p.context)
		}
	case "reset": //poolgen:if resetsAway
		if err = j.ctx.Err(); err == nil {
			err = resetConn(j.ctx, conn, p.context)
		}
	case "close": //poolgen:if hasClose
		if hasBeforeClose {
			shielded(func() { beforeClose(conn, p.context) })
		}
		if hasCleanup {
			defer shielded(p.cleanup(conn))
		}
		if hasCloser {
			err = closeConn(j.ctx, conn, p.context)
		}
	}
	returned = true
}

// shielded calls a function that can't prevent that a connection is closed, in a goroutine of its own, as it may end that.
//
//poolgen:if hasBeforeClose || hasCleanup
func shielded(hook func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		hook()
	}()
	<-done
}

// keep keeps what create has given to clean up after a connection.
//
//poolgen:if hasCleanup
func (p *Pool) keep(conn *Conn, cleanup func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups[conn] = cleanup
}

// cleanup returns what cleans up after a connection, for whoever is going to do that.
//
//poolgen:if hasCleanup
func (p *Pool) cleanup(conn *Conn) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	cleanup := p.cleanups[conn]
	delete(p.cleanups, conn)
	if cleanup == nil { // create has not returned the connection, or no cleanup with it
		return func() {}
	}
	return cleanup
}

// finish ends a job, unless it has been given up.
func (p *Pool) finish(s *slot, j *job, conn *Conn, err error) {
	if observesCreated || observesCreateFailed || observesCheckFailed {
		p.observe(s, j, conn, err)
	}
	p.mu.Lock()
	defer p.unlock()
	if p.jobs[s] != j {
		if hasClose && j.op == "create" && (err == nil || !byValue && conn != nil) {
			p.stats.Created++ //poolgen:if hasStats
			p.retire(p.outside(conn), &p.stats.RetiredUnwanted)
		}
		return
	}
	if hasAwait && p.closed {
		j.leave(ErrPoolClosed)
	}
	if hasRetry && err != nil && j.op == "create" && p.again(s, j, conn, err) {
		return
	}
	delete(p.jobs, s)
	j.timer.Stop()
	j.cancel()
	if hasRetry && j.tries > 1 && err != nil {
		err = fmt.Errorf("attempt %d: %w", j.tries, err)
	}
	if hasStats && err != nil {
		err = &PoolError{Op: j.op, Err: err}
		p.stats.LastError = err
	}
	switch {
	case j.op == "close": //poolgen:if hasClose
		p.move(s, &p.stats.Vacant)
		return
	case err != nil && (!hasJobs || j.op == "create"):
		s.conn = conn                        //poolgen:if hasClose
		err = &PoolError{Op: j.op, Err: err} //poolgen:if !hasStats
		p.failed(s, j, err)
		return
	case err != nil && j.op == "reset": //poolgen:if resetsAway
		p.retire(s, &p.stats.RetiredBroken)
		return
	case err != nil: //poolgen:if hasCheck
		p.retire(s, &p.stats.RetiredUnhealthy)
		if hasSuspicion {
			// What has hit this connection may have hit the idle ones: no requester should have to try one after the other.
			for idle := p.search(p.high, 0); idle != nil; idle = p.search(p.high, 0) {
				p.start(context.Background(), idle, &job{op: "health check", state: &p.stats.Checking})
			}
		}
		if w := j.waiter; w != nil { // it was its turn, and still is
			j.waiter = nil
			p.insert(w)
			p.turnAway(w, s.queue) //poolgen:if hasRejoin
		}
		return
	case !hasJobs || j.op == "create":
		s.conn = conn
		p.stats.Created++            //poolgen:if hasStats
		p.arrived(s)                 //poolgen:if hasArrival
		p.took = time.Since(j.begun) //poolgen:if hasDemand || hasIdle
		p.failures = 0               //poolgen:if hasStreak
		p.refillAt = 0               //poolgen:if hasIdle
		if hasDemand && p.stats.InUse == 0 {
			p.served = time.Now()
		}
	case j.op == "health check": //poolgen:if hasCheck
		p.move(s, &p.stats.InUse)
	}
	s.ready = !resetsAway || j.op != "reset" //poolgen:if hasCheck
	if hasDoom && hasCheck && s.doom != nil && j.op == "health check" && j.waiter != nil {
		w := j.waiter
		j.waiter = nil
		p.retire(s, s.doom)
		p.insert(w)
		p.turnAway(w, s.queue) //poolgen:if hasRejoin
		return
	}
	if hasAwait && j.waiter != nil {
		j.waiter.wake(s, nil)
		j.waiter = nil
		return
	}
	if hasWarm && j.state == &p.stats.Warming {
		p.retire(s, &p.stats.RetiredUnwanted)
		return
	}
	if !hasDemand || !hasJobs {
		p.deliver(s)
	} else if p.deliver(s) && j.op != "create" {
		p.served = time.Now()
	}
}

// failed gives the error of a create for the queue to the oldest waiter there who came before it had well begun.
// (hasDemand) If there is no connection at all, it is for all who have waited as long as a create may take.
//
//poolgen:once
func (p *Pool) failed(s *slot, j *job, err error) {
	p.stats.CreateFailures++ //poolgen:if hasStats
	if hasStreak && (!hasOwn || j.waiter != nil || j.state == &p.stats.Creating) {
		p.failures++    // but not if the create was called off
		p.trouble = err //poolgen:if hasBreaker
	}
	if hasClose && !byValue && s.conn != nil { // it came all the same
		p.stats.Created++ //poolgen:if hasStats
		p.retire(s, &p.stats.RetiredUnwanted)
	} else {
		p.move(s, &p.stats.Vacant)
	}
	if hasBreaker && !p.closed && p.tripped() {
		p.trip(err)
	}
	if hasOwn && j.state != &p.stats.Creating { // it was for one requester alone
		j.leave(err)
	} else if time.Since(p.line.next.begun) >= time.Since(j.begun)*7/8 { // else the oldest waiter came later, and so did all
		p.refuse(err)
	}
	for hasDemand && p.stats.InUse == 0 && p.stats.Waiting > 0 && time.Since(p.line.next.begun) >= p.options.CreateTimeout {
		p.refuse(err)
	}
}

// refuse gives an error to the oldest waiter, if there is any.
//
//poolgen:once
func (p *Pool) refuse(err error) {
	if w := p.next(); w != nil {
		w.wake(nil, err)
	}
}

// leave parts a job from its waiter, who gets err.
//
//poolgen:if hasAwait
func (j *job) leave(err error) {
	if w := j.waiter; w != nil {
		j.waiter = nil
		w.wake(nil, err)
		if hasOwn && (!hasJobs || j.op == "create") {
			j.cancel() // it was for nobody else
		}
	}
}

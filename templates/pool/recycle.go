package pool

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// recycle passes on a place whose lease has ended, if its hooks have nothing against it.
//
//poolgen:if hasRecycle
func (p *Pool) recycle(s *slot) {
	s.idled = time.Now() //poolgen:if hasAge
	if hasHolds {
		p.holds.count(time.Since(s.begun))
	}
	if observesReleased {
		p.released(s)
	}
	if hasJudges && (!hasFresh || !s.fresh) && !p.reusable(s) {
		return
	}
	if resetsAway && (!hasFresh || !s.fresh) {
		p.mu.Lock()
		p.start(context.Background(), s, &job{op: "reset", state: &p.stats.Resetting})
		p.unlock()
		return
	}
	turn := s.turn.Load()
	if !hasBarging && p.limit.Load() == 0 || hasBarging && p.owed(turn-4) || hasFresh && s.fresh || hasDoom && turn&doomed != 0 || !s.turn.CompareAndSwap(turn, turn+1) {
		p.handOver(s)
	} else if hasBarging && p.limit.Load() <= 0 {
		p.offer()
	} else if !hasBarging && p.limit.Load() == 0 {
		p.settle()
	}
}

// reusable has the hooks look at a released connection, which is retired if one of them fails.
//
//poolgen:if hasJudges
func (p *Pool) reusable(s *slot) (ok bool) {
	err := error(nil)
	returned := false
	defer func() {
		if !returned {
			err = fmt.Errorf(noReturn, recover(), debug.Stack())
		}
		if ok = err == nil; ok {
			return
		}
		p.mu.Lock()
		p.stats.LastError = &PoolError{Op: "release", Err: err} //poolgen:if hasStats
		p.retire(s, &p.stats.RetiredBroken)
		p.unlock()
	}()
	if hasBroken && isBroken(s.conn, p.context) {
		err = errors.New("the connection is broken")
	}
	if hasAfterRelease {
		if !hasBroken || err == nil {
			err = afterRelease(s.conn, p.context)
		}
	}
	if resetsHere {
		if !hasBroken && !hasAfterRelease || err == nil {
			err = resetConn(context.Background(), s.conn, p.context)
		}
	}
	returned = true
	return
}

package pool

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// recycle passes on a place whose lease has ended, if its hooks have nothing against it.
//
//poolgen:if hasRecycle
func (p *Pool) recycle(s *slot) {
	if (hasBroken || resetsHere) && (!hasOutside || !s.fresh) && !p.reusable(s) {
		return
	}
	if resetsAway && (!hasOutside || !s.fresh) {
		p.mu.Lock()
		p.start(context.Background(), s, &job{op: "reset", state: &p.stats.Resetting})
		p.unlock()
		return
	}
	p.handOver(s)
}

// reusable has the hooks look at a released connection, which is retired if one of them fails.
//
//poolgen:if hasBroken || resetsHere
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
		p.stats.LastError = &PoolError{Op: "release", Err: err}
		p.retire(s, &p.stats.RetiredBroken)
		p.unlock()
	}()
	if hasBroken && isBroken(s.conn, p.context) {
		err = errors.New("the connection is broken")
	} else if resetsHere {
		err = resetConn(context.Background(), s.conn, p.context)
	}
	returned = true
	return
}

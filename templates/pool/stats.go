package pool

import "time"

// PoolStats is what [Pool.Stats] returns. The fields from Idle to Vacant add up to MaxSize.
type PoolStats struct {
	MaxSize   int // places
	Idle      int // places with an idle connection
	InUse     int // places with a leased connection
	Creating  int // places whose connection is being created
	Checking  int //poolgen:if hasCheck // places whose connection is under a health check
	Resetting int //poolgen:if resetsAway // places whose connection is being reset
	Closing   int //poolgen:if hasClose // places whose connection is being closed
	Vacant    int // places without a connection
	Fresh     int // connections outside the pool
	Waiting   int // requesters in the queue

	Acquired         uint64        // leases of connections of the pool
	Created          uint64        // connections created, fresh ones included
	CreateFailures   uint64        // creates that failed
	RetiredUnhealthy uint64        //poolgen:if hasCheck // connections that failed a health check
	RetiredBroken    uint64        //poolgen:if hasRecycle // connections that a hook rejected on release
	RetiredDiscarded uint64        // connections discarded
	RetiredUnwanted  uint64        // connections released outside the pool or after its end, or created in vain
	Detached         uint64        // connections taken out by Detach
	Waits            uint64        // requesters that had to wait, for a place or while one was got ready
	WaitTime         time.Duration // how long they waited, all together
	Rejected         uint64        // requesters that got ErrPoolExhausted
	LastError        error         // the latest failure of a hook
}

// Stats returns the state of the pool and its counts so far.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.stats
	for i := range p.slots {
		turn := p.slots[i].turn.Load()
		st.Idle += int(turn & 1)
		st.Acquired += turn >> 1
	}
	st.MaxSize = len(p.slots)
	st.InUse = p.in[live] - st.Idle
	st.Acquired += uint64(st.InUse)
	st.Creating = p.in[creating] + p.in[reserved]
	st.Checking = p.in[checking] + p.in[suspect] //poolgen:if hasCheck
	st.Resetting = p.in[resetting]               //poolgen:if resetsAway
	st.Closing = p.in[closing]                   //poolgen:if hasClose
	st.Vacant = p.in[vacant]
	st.Fresh = p.fresh
	st.Waiting = p.waiting
	st.WaitTime = time.Duration(p.waitTime.Load())
	return st
}

package pool

import (
	"fmt"
	"time"
)

// (hasStats) PoolStats is the state of a pool.
// (hasStats) The fields from Idle to Vacant add up to MaxSize. What follows counts what has come of it.
// (hasResize) Vacant is negative while there are more connections than Resize has left places for.
type PoolStats struct {
	MaxSize   int //poolgen:if hasMaxSize // places
	Idle      int //poolgen:if hasStats // places with an idle connection
	InUse     int // places with a leased connection
	Creating  int // places whose connection is being created
	Warming   int //poolgen:if hasWarm // places that Warm fills, until it has filled all
	Checking  int //poolgen:if hasCheck // places whose connection is under a health check
	Resetting int //poolgen:if resetsAway // places whose connection is being reset
	Closing   int //poolgen:if hasClose // places whose connection is being closed
	Vacant    int // places without a connection
	Fresh     int //poolgen:if hasFresh // connections outside the pool
	Waiting   int // requesters in the queue

	Acquired         uint64        //poolgen:if hasStats // leases of connections of the pool
	Created          uint64        //poolgen:if hasStats // connections created, fresh ones included
	CreateFailures   uint64        //poolgen:if hasStats // creates that failed
	RetiredUnhealthy uint64        //poolgen:if hasReasons && hasCheck // connections that failed a health check
	RetiredBroken    uint64        //poolgen:if hasReasons && (hasJudges || resetsAway || hasBeforeAcquire) // connections that a hook refused, on release or before a lease
	RetiredDiscarded uint64        //poolgen:if hasReasons // connections discarded
	RetiredExpired   uint64        //poolgen:if hasLifetime // connections older than MaxLifetime
	RetiredIdle      uint64        //poolgen:if hasIdle // connections idle for longer than IdleTimeout
	RetiredSurplus   uint64        //poolgen:if hasIdle || hasResize || hasKeyed // connections that were too many
	RetiredLost      uint64        //poolgen:if hasReasons && hasLeaks // connections whose lease was garbage collected
	RetiredReset     uint64        //poolgen:if hasReset // connections older than a Reset of the pool
	RetiredUnwanted  uint64        //poolgen:if hasReasons // connections released after the pool's end or outside of it, or created in vain
	Detached         uint64        //poolgen:if hasDetach && hasStats // connections taken out by Detach
	Waits            uint64        //poolgen:if hasStats // how often somebody waited, for a place or while one was got ready
	WaitTime         time.Duration //poolgen:if hasStats // how long, all together
	Rejected         uint64        //poolgen:if hasStats // requesters that were turned away, as all places were taken
	Canceled         uint64        //poolgen:if hasStats // requesters, and calls of other methods, whose context ended first
	LastError        error         //poolgen:if hasStats // the latest failure of a hook

	WaitTimes Histogram //poolgen:if hasHistogram // of those who waited
	HoldTimes Histogram //poolgen:if hasHolds // of leases that were released
}

// String is for logs: what the places are in use for, and what came of them so far.
//
//poolgen:if hasString
func (s PoolStats) String() string {
	return fmt.Sprintf("%d places: %d idle, %d in use, %d being created, %d vacant; %d waiting; %d leases, %d created, %d failed to be, %d rejected, waited %d times, %v",
		s.MaxSize, s.Idle, s.InUse, s.Creating, s.Vacant, s.Waiting, s.Acquired, s.Created, s.CreateFailures, s.Rejected, s.Waits, s.WaitTime)
}

// Stats returns the state of the pool and its counts so far.
//
//poolgen:if hasStats
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.stats
	st.Acquired = uint64(st.InUse)
	for i := range p.places() {
		turn := p.place(i).turn.Load()
		st.Idle += int(turn & 1)
		st.Acquired += turn >> 2
	}
	st.InUse, st.Acquired = st.InUse-st.Idle, st.Acquired-uint64(st.Idle)
	st.WaitTimes = p.waits.snapshot() //poolgen:if hasHistogram
	st.HoldTimes = p.holds.snapshot() //poolgen:if hasHolds
	st.WaitTime = time.Duration(p.waited.Load())
	return st
}

package pool

import (
	"context"
	"time"
)

// Drain ends the pool without haste: requesters get [ErrPoolClosed], those who wait already are
// served, and when the last lease has ended the pool is closed. It returns then, or when ctx ends, with an error;
// the pool goes on draining, and Close cuts that short.
//
//poolgen:if hasDrain
func (p *Pool) Drain(ctx context.Context) error {
	begun := time.Now() //poolgen:if hasStats
	p.mu.Lock()
	p.draining = true
	p.limit.Store(0) // before unlock looks at the places: a releaser who is too late for that sees it
	p.unlock()
	return p.await(ctx, "drain", begun)
}

// quiet reports whether nobody has a connection, is about to get one or waits for one.
//
//poolgen:if hasDrain
func (p *Pool) quiet() bool {
	busy := p.stats.InUse + p.stats.Waiting
	busy += p.stats.Warming   //poolgen:if hasWarm
	busy += p.stats.Fresh     //poolgen:if hasFresh
	busy += p.stats.Checking  //poolgen:if hasCheck
	busy += p.stats.Resetting //poolgen:if resetsAway
	for i := range p.high {
		busy -= int(p.place(i).turn.Load() & 1)
	}
	return busy == 0
}

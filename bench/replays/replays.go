// Package replays replays what has brought real pools down, and what HikariCP's documents and the answers to them measure:
// one small play for each, with the same bar for every pool. All of them run in virtual time, in a bubble of
// testing/synctest, so that a play of minutes takes milliseconds and its times are exact.
package replays

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/poolgen/poolgen/bench/replays/faulty"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

// Replay is one of them.
type Replay struct {
	Name  string
	Row   int           // its row in the table of what no other Go pool passes altogether; 0 if it is not in there
	What  string        // happens
	Bar   string        // what must come of it
	With  pools.Feature // what a pool uses if it has it
	Needs bool          // pools that don't have With are not put through it
	run   func(*play) Outcome
}

// Outcome is what has come of it.
type Outcome struct {
	Measured string
	Holds    bool
}

// All are the replays: those of the table in its order, then the others.
var All = slices.Concat(
	[]Replay{spike, prime, deafCreate, refusedCreate, breaker},
	failovers, panics,
	[]Replay{staleRelease, doubleRelease, expiry, leakedClose, order},
	[]Replay{downDeaf, downStuck, downRefused, downHalfOpen, keepAlive, cancelStorm, sizing, sizingStats},
)

// Find returns the replay of that name.
func Find(name string) (Replay, error) {
	i := slices.IndexFunc(All, func(r Replay) bool { return r.Name == name })
	if i < 0 {
		return Replay{}, fmt.Errorf("no replay %q", name)
	}
	return All[i], nil
}

// Has reports whether a pool can be put through it.
func (r Replay) Has(peer pools.Peer) bool { return !r.Needs || slices.Contains(peer.Has, r.With) }

// Run puts a pool through it, in a bubble of testing/synctest. What is left over of it, end ends.
func (r Replay) Run(peer pools.Peer) (outcome Outcome, end func()) {
	p := &play{peer: peer, with: r.With}
	return r.run(p), p.end
}

// play is a replay that runs.
type play struct {
	peer pools.Peer
	with pools.Feature
	ends []func()
}

// slack is what may come on top of any time: of a computation there is none, but pools that poll do that.
const slack = 10 * time.Millisecond

// pool makes a pool and its server. The first open connections are idle when it returns.
func (p *play) pool(like faulty.Settings, size, open int) (*faulty.Server, pools.Pool) {
	server := faulty.NewServer(like)
	pool, err := p.peer.New(pools.Config{Size: size, Server: server, With: p.with})
	if err != nil {
		panic(err)
	}
	p.ends = append(p.ends, func() {
		server.Stop()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = pool.Close(ctx)
	})
	if got := hold(pool, open); got < open {
		panic(fmt.Sprintf("opened %d of %d connections", got, open))
	}
	server.Forget()
	return server, pool
}

func (p *play) end() {
	for _, end := range p.ends {
		end()
	}
}

// acquire is Acquire that lets its caller survive a panic, and bounds the wait.
func acquire(pool pools.Pool, limit time.Duration) (lease pools.Lease, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err = survive(func() error {
		lease, err = pool.Acquire(ctx)
		return err
	})
	return lease, err
}

// survive calls f and returns a panic as an error.
func survive(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f()
}

// hold leases n connections at the same time, releases them, and returns how many it got within a second.
func hold(pool pools.Pool, n int) int {
	leases := make(chan pools.Lease, n)
	crowd(n, 2*time.Second, func(int) {
		if lease, err := acquire(pool, time.Second); err == nil {
			leases <- lease
		}
	})
	got := len(leases)
	for range got {
		lease := <-leases
		_ = survive(func() error { lease.Release(); return nil })
	}
	time.Sleep(time.Millisecond) // some pools take it back in a goroutine
	return got
}

// crowd calls f on n goroutines, and returns when all have ended, or when the time is over: after which time each of them
// has ended, in ascending order, without those that have not.
func crowd(n int, limit time.Duration, f func(i int)) (took []time.Duration) {
	begun, done := time.Now(), make(chan time.Duration, n)
	for i := range n {
		go func() {
			f(i)
			done <- time.Since(begun)
		}()
	}
	over := time.NewTimer(limit)
	defer over.Stop()
	for len(took) < n {
		select {
		case d := <-done:
			took = append(took, d)
			continue
		case <-over.C:
		}
		break
	}
	slices.Sort(took)
	return took
}

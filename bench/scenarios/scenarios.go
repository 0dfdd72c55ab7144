// Package scenarios is what pools are measured by. A scenario says what its requesters do and which numbers come of
// it; the benchmarks of this package and the report run the same code.
package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/trivial"
)

// Scenario is one way to use a pool.
type Scenario struct {
	Name    string // such as S2/32: S2 with 32 goroutines
	What    string // what happens, in a sentence
	Metrics []Metric
	Fixed   bool // its times are part of it: it can't be shortened
	run     func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error)
}

// Metric is a number that a scenario yields.
type Metric struct {
	Name string // with its unit
	More bool   // more is better
}

// Result is what one run has yielded, by the names of metrics.
type Result map[string]float64

// All are the scenarios in their order.
var All = slices.Concat(
	[]Scenario{warmed, needsCheck},
	parallel(1), parallel(2), parallel(32), parallel(1000),
	[]Scenario{contended, spinning, asleep, deadlines, memory, slowCreation, warmSpike, coldSpike, lasting, workAfter, recovery, realPostgres, realRedis},
)

// Has reports whether a peer takes part in a scenario.
func (s Scenario) Has(peer peers.Peer) bool {
	group, _, _ := strings.Cut(s.Name, "/")
	in := func(names []string) bool { return slices.Contains(names, group) || slices.Contains(names, s.Name) }
	if peer.Only != nil && !in(peer.Only) || in(peer.Not) || group == "S11" && peer.Only == nil {
		return false
	}
	return peer.Fixed == 0 || s.Name != "S2/1000"
}

// Run measures a peer, for about as long as the budget says.
func (s Scenario) Run(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
	result, err := s.run(ctx, peer, budget)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", s.Name, peer.Name, err)
	}
	return result, nil
}

// Find returns the scenario and the peer with these names.
func Find(of []peers.Peer, scenario, peer string) (Scenario, peers.Peer, error) {
	s := slices.IndexFunc(All, func(s Scenario) bool { return s.Name == scenario })
	p := slices.IndexFunc(of, func(p peers.Peer) bool { return p.Name == peer })
	if s < 0 || p < 0 {
		return Scenario{}, peers.Peer{}, fmt.Errorf("no scenario %q or no peer %q", scenario, peer)
	}
	return All[s], of[p], nil
}

// newPool makes a pool of connections to the server, all of which are open, or none.
func newPool(ctx context.Context, peer peers.Peer, config peers.Config, open int) (peers.Pool, error) {
	pool, err := peer.New(config)
	if err == nil && open > 0 {
		_, err = holdAll(ctx, pool, open)
	}
	return pool, err
}

// holdAll leases n connections at the same time and returns how many it got before ctx ended.
func holdAll(ctx context.Context, pool peers.Pool, n int) (got int, err error) {
	held, release, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	for range n {
		go func() {
			ended <- pool.Use(ctx, func(*trivial.Conn) error {
				held <- struct{}{}
				<-release
				return nil
			})
		}()
	}
	out := n
	for got+n-out < n {
		select {
		case <-held:
			got++
		case e := <-ended:
			err = e
			out--
		}
	}
	close(release)
	for ; out > 0; out-- {
		if e := <-ended; e != nil {
			err = e
		}
	}
	return got, err
}

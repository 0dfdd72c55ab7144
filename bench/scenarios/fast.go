package scenarios

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/trivial"
)

// places is the size of pools in which nobody has to wait, unless there are more goroutines.
const places = 32

const nsPerOp, allocsPerOp, bytesPerOp = "ns/op", "allocs/op", "B/op"

// CPUPerOp is the time that one operation computes, on all cores together: what is left of a measurement while
// others use the machine. It is not shown, but compared in CI.
const CPUPerOp = "CPU ns/op"

var warmed = Scenario{
	Name:    "S1",
	What:    "one goroutine acquires and releases; all connections are there",
	Metrics: []Metric{{Name: nsPerOp}, {Name: allocsPerOp}, {Name: bytesPerOp}},
	run: func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
		return loops(ctx, peer, 1, budget)
	},
}

var needsCheck = Scenario{
	Name: "S1c",
	What: "S1 with a trivial needs-check. The rows of the core are the same pool in each of which that is called in another way: " +
		"what direct calls gain. A processor may get any call done beside the core's two compare-and-swaps; the plain core has plain loads and stores for these, and hides nothing",
	Metrics: []Metric{{Name: nsPerOp}, {Name: allocsPerOp}},
	run: func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
		return loops(ctx, peer, 1, budget)
	},
}

func parallel(goroutines int) []Scenario {
	return []Scenario{{
		Name:    fmt.Sprintf("S2/%d", goroutines),
		What:    fmt.Sprintf("%d goroutines acquire and release in parallel on all cores; nobody has to wait", goroutines),
		Metrics: []Metric{{Name: nsPerOp}, {Name: allocsPerOp}},
		run: func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
			return loops(ctx, peer, goroutines, budget)
		},
	}}
}

// loops runs the peer's loop on some goroutines.
func loops(ctx context.Context, peer peers.Peer, goroutines int, budget time.Duration) (Result, error) {
	size := max(places, goroutines)
	pool, err := newPool(ctx, peer, peers.Config{Size: size, Server: new(trivial.Server)}, size)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	n := 100 * goroutines
	for {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		computed, begun := cpuTime(), time.Now()
		if err := loopN(ctx, pool, goroutines, n); err != nil {
			return nil, err
		}
		took, computed := time.Since(begun), cpuTime()-computed
		runtime.ReadMemStats(&after)
		if took >= budget/2 {
			return Result{
				nsPerOp:     float64(took.Nanoseconds()) / float64(n),
				CPUPerOp:    float64(computed.Nanoseconds()) / float64(n),
				allocsPerOp: float64((after.Mallocs - before.Mallocs) / uint64(n)),
				bytesPerOp:  float64((after.TotalAlloc - before.TotalAlloc) / uint64(n)),
			}, nil
		}
		n = max(2*n, min(50*n, int(float64(n)*float64(budget)/float64(took+1))))
		n -= n % goroutines
	}
}

// loopN acquires and releases n times, shared by some goroutines.
func loopN(ctx context.Context, pool peers.Pool, goroutines, n int) error {
	if goroutines == 1 {
		return pool.Loop(ctx, n)
	}
	var running sync.WaitGroup
	errs := make([]error, goroutines)
	for i := range goroutines {
		running.Go(func() { errs[i] = pool.Loop(ctx, (n+goroutines-1)/goroutines) })
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

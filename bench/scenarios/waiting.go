package scenarios

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/trivial"
)

const (
	p50, p99, p999, longest = "p50 ms", "p99 ms", "p99.9 ms", "max ms"
	fairness                = "most/least served"
	opsPerSecond            = "ops/s"
	percentOfIdeal          = "% of ideal"
	servedPerSecond, lost   = "served/s", "lost"
)

// spin computes for some nanoseconds.
func spin(ns int) {
	x := uint32(ns)
	for range int(float64(ns) * stepsPerNanosecond()) {
		x = x*1664525 + 1013904223
	}
	runtime.KeepAlive(x)
}

// stepsPerNanosecond is how fast spin is here: the fastest of some tries.
var stepsPerNanosecond = sync.OnceValue(func() (fastest float64) {
	for range 20 {
		const steps = 100_000
		begun, x := time.Now(), uint32(1)
		for range steps {
			x = x*1664525 + 1013904223
		}
		runtime.KeepAlive(x)
		fastest = max(fastest, steps/float64(time.Since(begun).Nanoseconds()))
	}
	return fastest
})

var contended = Scenario{
	Name: "S3",
	What: "64 goroutines on 4 connections with 1 µs of work, in the middle of which the holder yields once, as it would for I/O",
	Metrics: []Metric{{Name: nsPerOp}, {Name: p50}, {Name: p99}, {Name: p999}, {Name: longest}, {Name: fairness},
		{Name: allocsPerOp}},
	run: func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
		return contend(ctx, peer, 5*budget, func() {
			spin(500)
			runtime.Gosched()
			spin(500)
		})
	},
}

var spinning = Scenario{
	Name:    "S3/spin",
	What:    "S3 without that: the holder never lets go of its core. Fairness is then that of time slices, and not shown",
	Metrics: []Metric{{Name: nsPerOp}, {Name: p99}, {Name: longest}},
	run: func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
		return contend(ctx, peer, 2*budget, func() { spin(1000) })
	},
}

func contend(ctx context.Context, peer peers.Peer, duration time.Duration, hold func()) (Result, error) {
	const connections = 4
	pool, err := newPool(ctx, peer, peers.Config{Size: connections, Server: new(trivial.Server)}, connections)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	l := load{requesters: 64, hold: hold}
	l.put(ctx, pool, duration/10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	o := l.put(ctx, pool, duration)
	runtime.ReadMemStats(&after)
	return Result{
		nsPerOp: 1e9 / o.rate(),
		p50:     quantile(o.waits, .5), p99: quantile(o.waits, .99), p999: quantile(o.waits, .999), longest: quantile(o.waits, 1),
		fairness:    o.fairness(),
		allocsPerOp: float64(int(float64(after.Mallocs-before.Mallocs)/float64(o.all()) + .5)),
	}, nil
}

var asleep = Scenario{
	Name:    "S4",
	What:    "1,000 goroutines on 10 connections that are held for 100 µs asleep; the ideal is that each connection is held all the time",
	Metrics: []Metric{{Name: percentOfIdeal, More: true}, {Name: p99}, {Name: longest}, {Name: fairness}},
	run: func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
		const connections = 10
		pool, err := newPool(ctx, peer, peers.Config{Size: connections, Server: new(trivial.Server)}, connections)
		if err != nil {
			return nil, err
		}
		defer pool.Close()
		o := load{requesters: 1000, hold: sleep}.put(ctx, pool, 20*budget)
		return Result{
			percentOfIdeal: o.use(connections),
			p99:            quantile(o.waits, .99), longest: quantile(o.waits, 1), fairness: o.fairness(),
		}, nil
	},
}

// sleep is what a holder does who waits for its server.
func sleep() { time.Sleep(100 * time.Microsecond) }

var deadlines = Scenario{
	Name:    "S5",
	What:    "200 goroutines with deadlines of 50 µs on 2 connections that are held for 100 µs asleep, who try again at once; then all connections must be there",
	Metrics: []Metric{{Name: servedPerSecond, More: true}, {Name: percentOfIdeal, More: true}, {Name: lost}},
	run: func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
		const connections = 2
		pool, err := newPool(ctx, peer, peers.Config{Size: connections, Server: new(trivial.Server)}, connections)
		if err != nil {
			return nil, err
		}
		o := load{requesters: 200, deadline: 50 * time.Microsecond, hold: sleep}.put(ctx, pool, 5*budget)
		soon, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		got, err := holdAll(soon, pool, connections)
		if soon.Err() != nil {
			err = nil // those that are missing are lost
		} else {
			pool.Close()
		}
		return Result{servedPerSecond: o.rate(), percentOfIdeal: o.use(connections), lost: float64(connections - got)}, err
	},
}

var workAfter = Scenario{
	Name:    "S9",
	What:    "8 goroutines on 2 connections that are held for 100 µs asleep, as for I/O; each computes for 100 µs right after its release, while others wait",
	Metrics: []Metric{{Name: opsPerSecond, More: true}},
	run: func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
		const connections = 2
		pool, err := newPool(ctx, peer, peers.Config{Size: connections, Server: new(trivial.Server)}, connections)
		if err != nil {
			return nil, err
		}
		defer pool.Close()
		o := load{requesters: 8, hold: sleep, after: func() { spin(100_000) }}.put(ctx, pool, 5*budget)
		return Result{opsPerSecond: o.rate()}, nil
	},
}

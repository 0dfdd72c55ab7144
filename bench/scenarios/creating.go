package scenarios

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/trivial"
)

const (
	percentServed = "% served"
	dials         = "dials"
	allServed     = "ms until all are served"
	fullRate      = "ms until full throughput"
	recovered     = "ms until recovered"
)

var slowCreation = Scenario{
	Name:    "S7",
	What:    "4 goroutines with deadlines of 10 ms make 100 requests each to an empty pool of 4, where a dial takes 25 ms",
	Metrics: []Metric{{Name: percentServed, More: true}, {Name: dials}},
	Fixed:   true,
	run: func(ctx context.Context, peer peers.Peer, _ time.Duration) (Result, error) {
		const connections, requests = 4, 100
		server := &trivial.Server{DialTime: 25 * time.Millisecond}
		pool, err := newPool(ctx, peer, peers.Config{Size: connections, Server: server}, 0)
		if err != nil {
			return nil, err
		}
		l := load{deadline: 10 * time.Millisecond, hold: sleep}
		var running sync.WaitGroup
		served := make([]requester, connections)
		for i := range served {
			running.Go(func() {
				for range requests {
					l.request(ctx, pool, &served[i])
				}
			})
		}
		running.Wait()
		n := 0
		for i := range served {
			n += int(served[i].served.Load())
		}
		return Result{percentServed: 100 * float64(n) / (connections * requests), dials: float64(server.Dials())}, nil
	},
}

var warmSpike = spike("S8/warm", "50 goroutines at once want a connection for 2 ms, of a pool of 50 with 5 open; a dial takes 150 ms", 5)

var coldSpike = spike("S8/cold", "the same with an empty pool", 0)

func spike(name, what string, open int) Scenario {
	return Scenario{
		Name: name, What: what, Metrics: []Metric{{Name: allServed}, {Name: dials}}, Fixed: true,
		run: func(ctx context.Context, peer peers.Peer, _ time.Duration) (Result, error) {
			server := &trivial.Server{DialTime: 150 * time.Millisecond}
			pool, err := newPool(ctx, peer, peers.Config{Size: 50, Server: server}, open)
			if err != nil {
				return nil, err
			}
			opened, begun := server.Dials(), time.Now()
			if err := allAtOnce(50, func() error {
				return pool.Use(ctx, func(*trivial.Conn) error {
					time.Sleep(2 * time.Millisecond)
					return nil
				})
			}); err != nil {
				return nil, err
			}
			return Result{allServed: time.Since(begun).Seconds() * 1000, dials: float64(server.Dials() - opened)}, nil
		},
	}
}

// allAtOnce calls f on n goroutines.
func allAtOnce(n int, f func() error) error {
	errs := make(chan error, n)
	for range n {
		go func() { errs <- f() }()
	}
	var err error
	for range n {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return err
}

var lasting = Scenario{
	Name:    "S8/lasting",
	What:    "45 goroutines hold a connection for 1 s, again and again, of a pool of 50 with 5 open; a dial takes 150 ms. Full throughput is when 45 are held at a time",
	Metrics: []Metric{{Name: fullRate}, {Name: dials}},
	Fixed:   true,
	run: func(ctx context.Context, peer peers.Peer, _ time.Duration) (Result, error) {
		const needed = 45
		server := &trivial.Server{DialTime: 150 * time.Millisecond}
		pool, err := newPool(ctx, peer, peers.Config{Size: 50, Server: server}, 5)
		if err != nil {
			return nil, err
		}
		full, took := make(chan struct{}), time.Duration(0)
		var held atomic.Int64
		var reached sync.Once
		opened, begun := server.Dials(), time.Now()
		err = allAtOnce(needed, func() error {
			for {
				err := pool.Use(ctx, func(*trivial.Conn) error {
					if held.Add(1) == needed {
						reached.Do(func() {
							took = time.Since(begun)
							close(full)
						})
					}
					defer held.Add(-1)
					select {
					case <-full:
					case <-time.After(time.Second):
					}
					return nil
				})
				select {
				case <-full:
					return err
				default:
				}
				if err != nil {
					return err
				}
			}
		})
		return Result{fullRate: took.Seconds() * 1000, dials: float64(server.Dials() - opened)}, err
	},
}

var recovery = Scenario{
	Name: "S10",
	What: "4 goroutines use a pool of 20 open connections when all of these die; to find that out takes 50 ms, and so does a dial. Who gets a dead one tries again. " +
		"Recovered is when the last request has ended that took more than 45 ms, before each of the four has been served 50 times in a row in less",
	Metrics: []Metric{{Name: recovered}, {Name: dials}},
	Fixed:   true,
	run: func(ctx context.Context, peer peers.Peer, _ time.Duration) (Result, error) {
		const connections, inARow, slow = 20, 50, 45 * time.Millisecond
		server := &trivial.Server{DialTime: 50 * time.Millisecond, DeadTime: 50 * time.Millisecond}
		pool, err := newPool(ctx, peer, peers.Config{Size: connections, Server: server, Check: true}, connections)
		if err != nil {
			return nil, err
		}
		var last atomic.Int64 // when a requester was served as before, who was the last of them
		opened, killed := server.Dials(), time.Now()
		server.Kill()
		err = allAtOnce(4, func() error {
			var since time.Duration // the last slow request
			for fast := 0; fast < inARow; fast++ {
				begun := time.Now()
				for {
					err := pool.Use(ctx, func(conn *trivial.Conn) error {
						time.Sleep(time.Millisecond)
						return conn.Try()
					})
					if err == nil {
						break
					}
					if ctx.Err() != nil {
						return err
					}
				}
				if time.Since(begun) > slow {
					since, fast = time.Since(killed), -1
				}
			}
			for was := last.Load(); int64(since) > was && !last.CompareAndSwap(was, int64(since)); was = last.Load() {
			}
			return nil
		})
		return Result{recovered: time.Duration(last.Load()).Seconds() * 1000, dials: float64(server.Dials() - opened)}, err
	},
}

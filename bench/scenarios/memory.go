package scenarios

import (
	"context"
	"runtime"
	"time"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/trivial"
)

const bytesPerPool, bytesPerConn, goroutinesPerPool = "B/pool", "B/connection", "goroutines/pool"

var memory = Scenario{
	Name:    "S6",
	What:    "what is on the heap for a new pool of 32 places and, in a pool of 1,000, for each connection beside the connection itself",
	Metrics: []Metric{{Name: bytesPerPool}, {Name: bytesPerConn}, {Name: goroutinesPerPool}},
	Fixed:   true,
	run: func(ctx context.Context, peer peers.Peer, _ time.Duration) (Result, error) {
		const pools, connections = 500, 1000
		kept, bytes, goroutines := make([]peers.Pool, pools), heap(), runtime.NumGoroutine()
		for i := range kept {
			pool, err := newPool(ctx, peer, peers.Config{Size: places, Server: new(trivial.Server)}, 0)
			if err != nil {
				return nil, err
			}
			kept[i] = pool
		}
		result := Result{
			bytesPerPool:      float64(heap()-bytes)/pools - serverBytes(),
			goroutinesPerPool: float64((runtime.NumGoroutine() - goroutines) / pools),
		}
		runtime.KeepAlive(kept)
		if peer.Fixed > 0 {
			return result, nil // its places are part of it
		}
		bytes = heap()
		server := new(trivial.Server)
		pool, err := newPool(ctx, peer, peers.Config{Size: connections, Server: server}, 0)
		if err == nil {
			err = openOneByOne(ctx, pool, connections)
		}
		if err != nil {
			return nil, err
		}
		with := heap() - bytes
		result[bytesPerConn] = float64(with)/connections - connBytes(connections)
		runtime.KeepAlive(pool)
		return result, nil
	},
}

// openOneByOne leases n connections at the same time, each after the other, so that nobody waits for anybody.
func openOneByOne(ctx context.Context, pool peers.Pool, n int) error {
	return pool.Use(ctx, func(*trivial.Conn) error {
		if n == 1 {
			return nil
		}
		return openOneByOne(ctx, pool, n-1)
	})
}

// heap returns how many bytes are in use.
func heap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// serverBytes is how much of a pool's memory is that of its server.
func serverBytes() float64 {
	const n = 1000
	kept, before := make([]*trivial.Server, n), heap()
	for i := range kept {
		kept[i] = new(trivial.Server)
	}
	after := heap()
	runtime.KeepAlive(kept)
	return float64(after-before) / n
}

// connBytes is how much of a connection's memory is not the pool's.
func connBytes(n int) float64 {
	server, before := new(trivial.Server), heap()
	for range n {
		_, _ = server.Dial(context.Background())
	}
	after := heap()
	runtime.KeepAlive(server)
	return float64(after-before) / float64(n)
}

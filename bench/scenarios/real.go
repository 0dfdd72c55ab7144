package scenarios

import (
	"context"
	"time"

	"github.com/poolgen/poolgen/bench/peers"
)

var realPostgres = answers("S11/postgres", "64 goroutines on 8 connections: `SELECT 1` on PostgreSQL over a Unix socket")

var realRedis = answers("S11/redis", "64 goroutines on 8 connections: `PING` on Redis over a Unix socket")

func answers(name, what string) Scenario {
	return Scenario{
		Name: name, What: what, Metrics: []Metric{{Name: opsPerSecond, More: true}, {Name: p50}, {Name: p99}, {Name: fairness}},
		run: func(ctx context.Context, peer peers.Peer, budget time.Duration) (Result, error) {
			const connections = 8
			pool, err := newPool(ctx, peer, peers.Config{Size: connections}, connections)
			if err != nil {
				return nil, err
			}
			defer pool.Close()
			l := load{requesters: 64, hold: func() {}}
			l.put(ctx, pool, budget)
			o := l.put(ctx, pool, 10*budget)
			return Result{opsPerSecond: o.rate(), p50: quantile(o.waits, .5), p99: quantile(o.waits, .99), fairness: o.fairness()}, nil
		},
	}
}

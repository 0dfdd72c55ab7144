package replays

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/poolgen/poolgen/bench/replays/faulty"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

// careless is a pool as one writes it in an afternoon: a stack and a limit, and whoever comes when all is taken polls.
type careless struct {
	server *faulty.Server
	size   int

	mu   sync.Mutex
	open int
	idle []*faulty.Conn
}

func newCareless(config pools.Config) (pools.Pool, error) {
	return &careless{server: config.Server, size: config.Size}, nil
}

func (p *careless) Acquire(ctx context.Context) (pools.Lease, error) {
	for ctx.Err() == nil {
		p.mu.Lock()
		if n := len(p.idle); n > 0 {
			conn := p.idle[n-1]
			p.idle = p.idle[:n-1]
			p.mu.Unlock()
			return carelessLease{conn, p}, nil
		}
		if p.open < p.size {
			p.open++
			p.mu.Unlock()
			conn, err := p.server.Dial(ctx) // and if it fails, the place is lost
			return carelessLease{conn, p}, err
		}
		p.mu.Unlock()
		time.Sleep(time.Duration(rand.IntN(5)+1) * time.Millisecond)
	}
	return nil, ctx.Err()
}

func (p *careless) Close(context.Context) error { return nil }

type carelessLease struct {
	*faulty.Conn
	pool *careless
}

func (l carelessLease) Release() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.pool.idle = append(l.pool.idle, l.Conn)
}

func (l carelessLease) Discard() {}

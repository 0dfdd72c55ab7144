package peers

import (
	"context"
	"sync"

	"github.com/poolgen/poolgen/bench/trivial"
)

type syncPool struct {
	pool   sync.Pool
	server *trivial.Server
}

func newSyncPool(config Config) (Pool, error) { return &syncPool{server: config.Server}, nil }

func (p *syncPool) acquire(ctx context.Context) (*trivial.Conn, error) {
	if conn, ok := p.pool.Get().(*trivial.Conn); ok {
		return conn, nil
	}
	return p.server.Dial(ctx)
}

func (p *syncPool) Loop(ctx context.Context, n int) error {
	for range n {
		conn, err := p.acquire(ctx)
		if err != nil {
			return err
		}
		p.pool.Put(conn)
	}
	return nil
}

func (p *syncPool) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	if err = hold(conn); err == nil {
		p.pool.Put(conn)
	}
	return err
}

func (p *syncPool) Close() {}

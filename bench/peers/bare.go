package peers

import (
	"context"

	"github.com/poolgen/poolgen/bench/generated"
	"github.com/poolgen/poolgen/bench/trivial"
)

//go:generate sh copy.sh

type barePool struct{ pool *generated.BarePool }

func newBare(config Config) (Pool, error) {
	pool, err := generated.NewBarePool(config.Server, generated.BarePoolOptions{MaxSize: config.Size})
	return barePool{pool}, err
}

func (p barePool) Loop(ctx context.Context, n int) error {
	for range n {
		lease, err := p.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		lease.Release()
	}
	return nil
}

func (p barePool) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	lease, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	if err := hold(lease.Trivial); err != nil {
		lease.Discard()
		return err
	}
	lease.Release()
	return nil
}

func (p barePool) Close() { _ = p.pool.Close(context.Background()) }

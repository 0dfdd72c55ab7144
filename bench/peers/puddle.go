package peers

import (
	"context"

	"github.com/jackc/puddle/v2"

	"github.com/poolgen/poolgen/bench/trivial"
)

type puddlePool struct{ pool *puddle.Pool[*trivial.Conn] }

func newPuddle(config Config) (Pool, error) {
	pool, err := puddle.NewPool(&puddle.Config[*trivial.Conn]{
		Constructor: config.Server.Dial,
		Destructor:  func(*trivial.Conn) {},
		MaxSize:     int32(config.Size),
	})
	return puddlePool{pool}, err
}

func (p puddlePool) Loop(ctx context.Context, n int) error {
	for range n {
		resource, err := p.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		resource.Release()
	}
	return nil
}

func (p puddlePool) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	resource, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	if err = hold(resource.Value()); err != nil {
		resource.Destroy()
		return err
	}
	resource.Release()
	return nil
}

func (p puddlePool) Close() { p.pool.Close() }

package peers

import (
	"context"

	pool "github.com/jolestar/go-commons-pool/v2"

	"github.com/poolgen/poolgen/bench/trivial"
)

type commons struct{ pool *pool.ObjectPool }

func newCommons(config Config) (Pool, error) {
	options := pool.NewDefaultPoolConfig()
	options.MaxTotal, options.MaxIdle, options.TestOnBorrow = config.Size, config.Size, config.Check
	factory := pool.NewPooledObjectFactory(
		func(ctx context.Context) (any, error) { return config.Server.Dial(ctx) },
		nil,
		func(_ context.Context, object *pool.PooledObject) bool {
			return object.Object.(*trivial.Conn).Try() == nil
		},
		nil, nil)
	return commons{pool.NewObjectPool(context.Background(), factory, options)}, nil
}

func (p commons) Loop(ctx context.Context, n int) error {
	for range n {
		object, err := p.pool.BorrowObject(ctx)
		if err != nil {
			return err
		}
		if err := p.pool.ReturnObject(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

func (p commons) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	object, err := p.pool.BorrowObject(ctx)
	if err != nil {
		return err
	}
	if err := hold(object.(*trivial.Conn)); err != nil {
		_ = p.pool.InvalidateObject(ctx, object)
		return err
	}
	return p.pool.ReturnObject(ctx, object)
}

func (p commons) Close() { p.pool.Close(context.Background()) }

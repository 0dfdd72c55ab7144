package pools

import (
	"context"

	"github.com/jackc/puddle/v2"

	"github.com/poolgen/poolgen/bench/replays/faulty"
)

type puddlePool struct{ pool *puddle.Pool[*faulty.Conn] }

func newPuddle(config Config) (Pool, error) {
	pool, err := puddle.NewPool(&puddle.Config[*faulty.Conn]{
		Constructor: config.Server.Dial,
		Destructor:  func(conn *faulty.Conn) { _ = conn.Close() },
		MaxSize:     int32(config.Size),
	})
	return puddlePool{pool}, err
}

func (p puddlePool) Acquire(ctx context.Context) (Lease, error) {
	resource, err := p.pool.Acquire(ctx)
	return puddleLease{resource}, err
}

func (p puddlePool) Close(context.Context) error {
	p.pool.Close()
	return nil
}

type puddleLease struct {
	resource *puddle.Resource[*faulty.Conn]
}

func (l puddleLease) ID() int                         { return l.resource.Value().ID() }
func (l puddleLease) Query(ctx context.Context) error { return l.resource.Value().Query(ctx) }
func (l puddleLease) Release()                        { l.resource.Release() }
func (l puddleLease) Discard()                        { l.resource.Destroy() }

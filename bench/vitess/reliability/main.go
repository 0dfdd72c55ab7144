// Command reliability puts vitess's smartconnpool through the replays. The command of that name in bench builds and runs it.
package main

import (
	"context"
	"os"

	"vitess.io/vitess/go/pools/smartconnpool"

	"github.com/poolgen/poolgen/bench/replays"
	"github.com/poolgen/poolgen/bench/replays/faulty"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

func main() {
	replays.Serve([]pools.Peer{{
		Name: "vitess", Module: "vitess.io/vitess", New: newPool, Has: []pools.Feature{pools.Lifetime, pools.KeepAlive},
		Note: "go/pools/smartconnpool, in a program of its own; for keep-alive, what was idle for that long is closed and dialled anew (`IdleTimeout`)",
	}}, os.Args[1:])
}

type pool struct {
	pool *smartconnpool.ConnPool[*conn]
}

func newPool(config pools.Config) (pools.Pool, error) {
	options := smartconnpool.Config[*conn]{Capacity: int64(config.Size), MaxIdleCount: int64(config.Size)}
	switch config.With {
	case pools.Lifetime:
		options.MaxLifetime = pools.MaxLifetime
	case pools.KeepAlive:
		options.IdleTimeout = pools.KeepAlivePeriod
	}
	p := smartconnpool.NewPool(&options)
	p.Open(func(ctx context.Context) (*conn, error) {
		c, err := config.Server.Dial(ctx)
		return &conn{c}, err
	}, nil)
	return pool{p}, nil
}

func (p pool) Acquire(ctx context.Context) (pools.Lease, error) {
	pooled, err := p.pool.Get(ctx, nil)
	return lease{pooled}, err
}

func (p pool) Close(ctx context.Context) error { return p.pool.CloseWithContext(ctx) }

type lease struct {
	pooled *smartconnpool.Pooled[*conn]
}

func (l lease) ID() int                         { return l.pooled.Conn.ID() }
func (l lease) Query(ctx context.Context) error { return l.pooled.Conn.Query(ctx) }
func (l lease) Release()                        { l.pooled.Recycle() }

func (l lease) Discard() {
	defer l.pooled.Recycle() // which sees that it is closed
	l.pooled.Close()
}

// conn is a connection as smartconnpool wants it.
type conn struct{ *faulty.Conn }

func (c *conn) ApplySetting(context.Context, *smartconnpool.Setting) error { return nil }
func (c *conn) ResetSetting(context.Context) error                         { return nil }
func (c *conn) Setting() *smartconnpool.Setting                            { return nil }
func (c *conn) IsClosed() bool                                             { return !c.Closed().IsZero() }
func (c *conn) Close()                                                     { _ = c.Conn.Close() }

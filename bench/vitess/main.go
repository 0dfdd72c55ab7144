// Command vitess measures vitess's smartconnpool for the report. It is a module of its own, because its pool comes
// with more than 500 packages, and wants a newer Go than everything else here; the report builds and runs it.
package main

import (
	"context"
	"os"

	"vitess.io/vitess/go/pools/smartconnpool"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/scenarios"
	"github.com/poolgen/poolgen/bench/trivial"
)

func main() {
	os.Exit(scenarios.Serve([]peers.Peer{{
		Name: "vitess", Kind: peers.Product, Module: "vitess.io/vitess", FIFO: true, Yields: true, Not: []string{"S1c"}, New: newPool,
		Note: "go/pools/smartconnpool, in a program of its own",
	}}, os.Args[1:]))
}

type pool struct {
	pool *smartconnpool.ConnPool[*conn]
}

func newPool(config peers.Config) (peers.Pool, error) {
	p := smartconnpool.NewPool(&smartconnpool.Config[*conn]{Capacity: int64(config.Size), MaxIdleCount: int64(config.Size)})
	p.Open(func(ctx context.Context) (*conn, error) {
		c, err := config.Server.Dial(ctx)
		return &conn{trivial: c}, err
	}, nil)
	return pool{p}, nil
}

func (p pool) Loop(ctx context.Context, n int) error {
	for range n {
		pooled, err := p.pool.Get(ctx, nil)
		if err != nil {
			return err
		}
		pooled.Recycle()
	}
	return nil
}

func (p pool) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	pooled, err := p.pool.Get(ctx, nil)
	if err != nil {
		return err
	}
	if err := hold(pooled.Conn.trivial); err != nil {
		pooled.Conn.closed = true
		pooled.Recycle() // which sees that it is closed
		return err
	}
	pooled.Recycle()
	return nil
}

func (p pool) Close() { p.pool.Close() }

// conn is a connection as smartconnpool wants it.
type conn struct {
	trivial *trivial.Conn
	closed  bool
}

func (c *conn) ApplySetting(context.Context, *smartconnpool.Setting) error { return nil }
func (c *conn) ResetSetting(context.Context) error                         { return nil }
func (c *conn) Setting() *smartconnpool.Setting                            { return nil }
func (c *conn) IsClosed() bool                                             { return c.closed }
func (c *conn) Close()                                                     { c.closed = true }

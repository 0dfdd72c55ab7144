package peers

import (
	"context"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/poolgen/poolgen/bench/trivial"
)

type redigo struct{ pool *redis.Pool }

func newRedigo(config Config) (Pool, error) {
	pool := &redis.Pool{
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			conn, err := config.Server.Dial(ctx)
			return &redigoConn{conn: conn}, err
		},
		MaxIdle:   config.Size,
		MaxActive: config.Size,
		Wait:      true,
	}
	if config.Check {
		pool.TestOnBorrow = func(conn redis.Conn, _ time.Time) error { return conn.(*redigoConn).conn.Try() }
	}
	return redigo{pool}, nil
}

func (p redigo) Loop(ctx context.Context, n int) error {
	for range n {
		conn, err := p.pool.GetContext(ctx)
		if err != nil {
			return err
		}
		if err := conn.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (p redigo) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	active, err := p.pool.GetContext(ctx)
	if err != nil {
		return err
	}
	defer active.Close()
	conn, err := active.Do("CONN")
	if err != nil {
		return err
	}
	if err := hold(conn.(*redigoConn).conn); err != nil {
		conn.(*redigoConn).err = err // the pool looks at it when the connection comes back
		return err
	}
	return nil
}

func (p redigo) Close() { _ = p.pool.Close() }

// redigoConn is a connection as redigo's pool wants it. It answers every command with itself.
type redigoConn struct {
	conn *trivial.Conn
	err  error
}

func (c *redigoConn) Do(string, ...any) (any, error) { return c, nil }
func (c *redigoConn) Err() error                     { return c.err }
func (c *redigoConn) Close() error                   { return nil }
func (c *redigoConn) Send(string, ...any) error      { return nil }
func (c *redigoConn) Flush() error                   { return nil }
func (c *redigoConn) Receive() (any, error)          { return c, nil }

package pools

import (
	"context"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/poolgen/poolgen/bench/replays/faulty"
)

type redigoPool struct{ pool *redis.Pool }

func newRedigo(config Config) (Pool, error) {
	pool := &redis.Pool{
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			conn, err := config.Server.Dial(ctx)
			if err != nil {
				return nil, err
			}
			return &redigoConn{Conn: conn}, nil
		},
		MaxIdle:   config.Size,
		MaxActive: config.Size,
		Wait:      true,
	}
	switch config.With {
	case Check:
		pool.TestOnBorrow = func(conn redis.Conn, _ time.Time) error {
			config.Server.Hook("check")
			_, err := conn.Do("QUERY")
			return err
		}
	case Lifetime:
		pool.MaxConnLifetime = MaxLifetime
	}
	return redigoPool{pool}, nil
}

func (p redigoPool) Acquire(ctx context.Context) (Lease, error) {
	conn, err := p.pool.GetContext(ctx)
	return redigoLease{conn}, err
}

func (p redigoPool) Close(context.Context) error { return p.pool.Close() }

type redigoLease struct{ conn redis.Conn }

func (l redigoLease) ID() int {
	id, _ := redis.Int(l.conn.Do("ID"))
	return id
}

func (l redigoLease) Query(ctx context.Context) error {
	_, err := redis.DoContext(l.conn, ctx, "QUERY")
	return err
}

func (l redigoLease) Release() { _ = l.conn.Close() }

func (l redigoLease) Discard() {
	_, _ = l.conn.Do("BREAK")
	l.Release()
}

// redigoConn is a connection as redigo's pool wants it.
type redigoConn struct {
	*faulty.Conn
	err error // the pool looks at it when the connection comes back
}

func (c *redigoConn) DoContext(ctx context.Context, command string, _ ...any) (any, error) {
	switch command {
	case "ID":
		return int64(c.ID()), nil
	case "QUERY":
		c.err = c.Query(ctx)
	case "BREAK":
		c.err = faulty.ErrClosed
	}
	return nil, c.err
}

func (c *redigoConn) Do(command string, args ...any) (any, error) {
	return c.DoContext(context.Background(), command, args...)
}

func (c *redigoConn) Err() error                                  { return c.err }
func (c *redigoConn) Send(string, ...any) error                   { return nil }
func (c *redigoConn) Flush() error                                { return nil }
func (c *redigoConn) Receive() (any, error)                       { return nil, nil }
func (c *redigoConn) ReceiveContext(context.Context) (any, error) { return nil, nil }

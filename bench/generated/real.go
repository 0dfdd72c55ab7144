package generated

import (
	"context"
	"strings"

	"github.com/gomodule/redigo/redis"
	"github.com/jackc/pgx/v5"
)

//go:generate go tool poolgen -type=Pgx -check=none -with=barging
//go:generate go tool poolgen -type=Redis

// Address says where a server is.
type Address string

// Pgx is a connection to PostgreSQL. pgxpool, too, checks one only after it was idle for a second, which none is here.
type Pgx struct{ *pgx.Conn }

// DialPgx connects.
func DialPgx(ctx context.Context, a Address) (*Pgx, error) {
	conn, err := pgx.Connect(ctx, string(a))
	return &Pgx{conn}, err
}

// Close says goodbye to the server.
func (c *Pgx) Close(ctx context.Context) error { return c.Conn.Close(ctx) }

// IsClosed tells, on release, that the connection has failed.
func (c *Pgx) IsClosed() bool { return c.Conn.IsClosed() }

// Redis is a connection to Redis.
type Redis struct{ redis.Conn }

// DialRedis connects to a socket or, if there is no slash in its address, to a port.
func DialRedis(ctx context.Context, a Address) (*Redis, error) {
	conn, err := redis.DialContext(ctx, a.Network(), string(a))
	return &Redis{conn}, err
}

// Network is what to dial: a path is that of a Unix socket.
func (a Address) Network() string {
	if strings.Contains(string(a), "/") {
		return "unix"
	}
	return "tcp"
}

// Broken tells, on release, that the connection has failed.
func (c *Redis) Broken() bool { return c.Err() != nil }

// Close closes the connection.
func (c *Redis) Close() error { return c.Conn.Close() }

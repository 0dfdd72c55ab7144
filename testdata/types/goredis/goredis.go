// Package goredis pools connections to Redis that go-redis keeps for one user at a time. Its Ping returns a command,
// which has the error.
package goredis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

//go:generate go tool poolgen -type=redis.Conn -create=redis.Client.Conn

func pingConn(ctx context.Context, c *redis.Conn) error { return c.Ping(ctx).Err() }

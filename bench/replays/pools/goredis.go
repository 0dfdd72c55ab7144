package pools

import (
	"context"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/replays/faulty"
)

type goRedisPool struct {
	client *redis.Client
	server *faulty.Server
}

func newGoRedis(config Config) (Pool, error) {
	options := &redis.Options{
		Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return config.Server.DialNet(ctx, peers.AnswerRedis)
		},
		PoolSize:                 config.Size,
		PoolTimeout:              time.Hour, // requesters have deadlines of their own
		DialTimeout:              time.Hour, // the server has one
		ReadTimeout:              faulty.SocketTimeout,
		ContextTimeoutEnabled:    true,
		MaxRetries:               -1,
		Protocol:                 2,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if config.With == Lifetime {
		options.ConnMaxLifetime = MaxLifetime
	}
	return goRedisPool{redis.NewClient(options), config.Server}, nil
}

func (p goRedisPool) Acquire(ctx context.Context) (Lease, error) {
	conn := p.client.Conn()
	id, err := conn.Do(ctx, "ID").Int() // the first command acquires
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return goRedisLease{conn, p.server.Conn(id)}, nil
}

func (p goRedisPool) Close(context.Context) error { return p.client.Close() }

type goRedisLease struct {
	conn   *redis.Conn
	faulty *faulty.Conn
}

func (l goRedisLease) ID() int                         { return l.faulty.ID() }
func (l goRedisLease) Query(ctx context.Context) error { return l.conn.Ping(ctx).Err() }
func (l goRedisLease) Release()                        { _ = l.conn.Close() }

// Discard has the client find out that the connection is of no use: it can't be told.
func (l goRedisLease) Discard() {
	defer l.Release()
	l.faulty.Break()
	_ = l.Query(context.Background())
}

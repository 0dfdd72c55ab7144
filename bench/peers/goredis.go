package peers

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/poolgen/poolgen/bench/trivial"
)

type goRedis struct {
	client *redis.Client
	server *trivial.Server
}

func newGoRedis(config Config) (Pool, error) {
	return goRedis{redis.NewClient(&redis.Options{
		Dialer:                   dialNet(config.Server, AnswerRedis),
		PoolSize:                 config.Size,
		PoolTimeout:              time.Hour, // requesters have deadlines of their own
		ContextTimeoutEnabled:    true,
		MaxRetries:               -1,
		Protocol:                 2,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}), config.Server}, nil
}

func (p goRedis) Loop(ctx context.Context, n int) error {
	for range n {
		conn := p.client.Conn()
		if err := conn.Do(ctx, "ID").Err(); err != nil { // the first command acquires
			return err
		}
		if err := conn.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (p goRedis) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	conn := p.client.Conn()
	defer conn.Close()
	id, err := conn.Do(ctx, "ID").Int()
	if err != nil {
		return err
	}
	return hold(p.server.Conn(id))
}

func (p goRedis) Close() { _ = p.client.Close() }

package peers

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	goredis "github.com/redis/go-redis/v9"

	"github.com/poolgen/poolgen/bench/generated"
	"github.com/poolgen/poolgen/bench/trivial"
)

// The environment variables that scripts/services sets.
const (
	PostgresVar = "POOLGEN_POSTGRES"
	RedisVar    = "POOLGEN_REDIS"
)

// real is a pool of connections to a real server. Its Use asks the server something before it calls hold, so that
// what others wait until they hold a connection, its requesters wait for the answer.
type real struct {
	ask   func(ctx context.Context) error // acquires, asks and releases
	close func()
}

func (p real) Loop(ctx context.Context, n int) error {
	for range n {
		if err := p.ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p real) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	if err := p.ask(ctx); err != nil {
		return err
	}
	return hold(nil)
}

func (p real) Close() { p.close() }

const query = "SELECT 1"

func answered(answer int, err error) error {
	if err == nil && answer != 1 {
		err = fmt.Errorf("%s has answered %d", query, answer)
	}
	return err
}

func newRealPgx(config Config) (Pool, error) {
	return newRealPgxPool(generated.PgxPoolOptions{MaxSize: config.Size})
}

func newRealBargingPgx(config Config) (Pool, error) {
	return newRealPgxPool(generated.PgxPoolOptions{MaxSize: config.Size, Barging: barging})
}

func newRealPgxPool(options generated.PgxPoolOptions) (Pool, error) {
	pool, err := generated.NewPgxPool(generated.Address(os.Getenv(PostgresVar)), options)
	return real{func(ctx context.Context) error {
		lease, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer lease.Release()
		var answer int
		err = lease.QueryRow(ctx, query).Scan(&answer)
		return answered(answer, err)
	}, func() { _ = pool.Close(context.Background()) }}, err
}

func newRealPgxpool(config Config) (Pool, error) {
	options, err := pgxpool.ParseConfig(os.Getenv(PostgresVar))
	if err != nil {
		return nil, err
	}
	options.MaxConns = int32(config.Size)
	pool, err := pgxpool.NewWithConfig(context.Background(), options)
	return real{func(ctx context.Context) error {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		var answer int
		err = conn.QueryRow(ctx, query).Scan(&answer)
		return answered(answer, err)
	}, func() { pool.Close() }}, err
}

func newRealSQL(config Config) (Pool, error) {
	db, err := sql.Open("pgx", os.Getenv(PostgresVar))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(config.Size)
	db.SetMaxIdleConns(config.Size)
	return real{func(ctx context.Context) error {
		var answer int
		err := db.QueryRowContext(ctx, query).Scan(&answer)
		return answered(answer, err)
	}, func() { _ = db.Close() }}, nil
}

func newRealConn(config Config) (Pool, error) {
	pool, err := generated.NewRedisPool(generated.Address(os.Getenv(RedisVar)), generated.RedisPoolOptions{MaxSize: config.Size})
	return real{func(ctx context.Context) error {
		lease, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer lease.Release()
		_, err = redis.DoContext(lease.Conn().Conn, ctx, "PING")
		return err
	}, func() { _ = pool.Close(context.Background()) }}, err
}

func newRealRedigo(config Config) (Pool, error) {
	pool := &redis.Pool{
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			address := generated.Address(os.Getenv(RedisVar))
			return redis.DialContext(ctx, address.Network(), string(address))
		},
		MaxIdle: config.Size, MaxActive: config.Size, Wait: true,
	}
	return real{func(ctx context.Context) error {
		conn, err := pool.GetContext(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = redis.DoContext(conn, ctx, "PING")
		return err
	}, func() { _ = pool.Close() }}, nil
}

func newRealGoRedis(config Config) (Pool, error) {
	address := generated.Address(os.Getenv(RedisVar))
	client := goredis.NewClient(&goredis.Options{
		Network: address.Network(), Addr: string(address), PoolSize: config.Size, PoolTimeout: time.Hour, ContextTimeoutEnabled: true,
	})
	return real{func(ctx context.Context) error { return client.Ping(ctx).Err() }, func() { _ = client.Close() }}, nil
}

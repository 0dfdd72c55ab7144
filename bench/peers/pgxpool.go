package peers

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/poolgen/poolgen/bench/trivial"
)

type pgxPool struct{ pool *pgxpool.Pool }

func newPgxpool(config Config) (Pool, error) {
	options, err := pgxpool.ParseConfig("host=trivial port=1 user=u database=d sslmode=disable")
	if err != nil {
		return nil, err
	}
	options.MaxConns = int32(config.Size)
	options.ConnConfig.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
	options.ConnConfig.DialFunc = dialNet(config.Server, AnswerPostgres)
	options.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return config.Check }
	pool, err := pgxpool.NewWithConfig(context.Background(), options)
	return pgxPool{pool}, err
}

func (p pgxPool) Loop(ctx context.Context, n int) error {
	for range n {
		conn, err := p.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		conn.Release()
	}
	return nil
}

func (p pgxPool) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err = hold(conn.Conn().PgConn().Conn().(*netConn).conn); err != nil {
		_ = conn.Conn().Close(ctx) // which has the pool destroy it
	}
	return err
}

func (p pgxPool) Close() { p.pool.Close() }

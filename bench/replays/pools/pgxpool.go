package pools

import (
	"context"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/replays/faulty"
)

type pgxPool struct{ pool *pgxpool.Pool }

func newPgxpool(config Config) (Pool, error) {
	options, err := pgxpool.ParseConfig("host=faulty port=1 user=u database=d sslmode=disable")
	if err != nil {
		return nil, err
	}
	server := config.Server
	options.MaxConns = int32(config.Size)
	options.ConnConfig.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
	options.ConnConfig.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return server.DialNet(ctx, peers.AnswerPostgres)
	}
	options.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return config.With == Check }
	options.PingTimeout = faulty.SocketTimeout
	switch config.With {
	case Check:
		options.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) { server.Hook("check"); return true, nil }
	case Lifetime:
		options.MaxConnLifetime = MaxLifetime
	case KeepAlive:
		options.MaxConnIdleTime, options.HealthCheckPeriod, options.MinIdleConns = KeepAlivePeriod, KeepAlivePeriod, int32(config.Size)
	case Hooks:
		options.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) { server.Hook("before-acquire"); return true, nil }
		options.AfterConnect = func(context.Context, *pgx.Conn) error { server.Hook("after-create"); return nil }
		options.AfterRelease = func(*pgx.Conn) bool { server.Hook("after-release"); return true }
		options.BeforeClose = func(*pgx.Conn) { server.Hook("before-close") }
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), options)
	return pgxPool{pool}, err
}

func (p pgxPool) Acquire(ctx context.Context) (Lease, error) {
	conn, err := p.pool.Acquire(ctx)
	return pgxLease{conn}, err
}

func (p pgxPool) Close(context.Context) error {
	p.pool.Close()
	return nil
}

type pgxLease struct{ conn *pgxpool.Conn }

func (l pgxLease) ID() int { return l.conn.Conn().PgConn().Conn().(*faulty.NetConn).Faulty.ID() }

func (l pgxLease) Query(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, faulty.SocketTimeout)
	defer cancel()
	return l.conn.Ping(ctx)
}

func (l pgxLease) Release() { l.conn.Release() }

func (l pgxLease) Discard() {
	defer l.conn.Release()
	_ = l.conn.Conn().Close(context.Background()) // which has the pool destroy it
}

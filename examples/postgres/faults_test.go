package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/examples/internal/faults"
)

func TestThePoolSurvivesItsServer(t *testing.T) {
	faults.Test(t, faults.Subject{
		Server: "postgres", Requesters: 32, Patience: 500 * time.Millisecond,
		Open: func(t testing.TB, addr string) faults.Pool {
			return pool{connect(t, addr, ConnPoolOptions{MaxSize: 8, CreateTimeout: 200 * time.Millisecond, HealthCheckTimeout: 100 * time.Millisecond})}
		},
		Probe: func(ctx context.Context, addr string) error {
			_, err := direct(ctx, addr, "SELECT 1")
			return err
		},
		Cut: func(ctx context.Context, addr string) error {
			_, err := direct(ctx, addr, "SELECT pg_terminate_backend(pid)::int "+others+" ORDER BY random() LIMIT 1")
			return err
		},
		Connections: func(ctx context.Context, addr string) (int, error) {
			return direct(ctx, addr, "SELECT count(*) "+others)
		},
	})
}

func TestAConnectionWithAnOpenTransactionIsNotLeasedAgain(t *testing.T) {
	server := faults.Find(t, "postgres")
	p := connect(t, server.TCP, ConnPoolOptions{MaxSize: 1})
	defer p.Close(t.Context())
	conn, err := p.Acquire(t.Context())
	require.NoError(t, err)
	left := conn.Conn()
	_, err = conn.Exec(t.Context(), "BEGIN")
	require.NoError(t, err)
	conn.Release() // by mistake

	conn, err = p.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	require.NotSame(t, left, conn.Conn())
	require.ErrorIs(t, p.Stats().LastError, errTransaction)
}

func TestMoneyIsNotLost(t *testing.T) {
	out := new(strings.Builder)
	require.NoError(t, run(out, faults.Find(t, "postgres").Address))
	require.Contains(t, out.String(), "2000 of 2000 are left")
}

// others is where the server has the connections other than that of the query.
const others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"

// pool asks for the number it sends.
type pool struct{ *ConnPool }

func connect(t testing.TB, addr string, options ConnPoolOptions) *ConnPool {
	p, err := NewConnPool(&Config{Postgres: config(t, addr), CheckAfter: 100 * time.Millisecond}, options)
	require.NoError(t, err)
	return p
}

func config(t testing.TB, addr string) *pgx.ConnConfig {
	cfg, err := pgx.ParseConfig(dsn(addr))
	require.NoError(t, err)
	return cfg
}

func dsn(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	return fmt.Sprintf("host=%s port=%s user=poolgen dbname=postgres sslmode=disable", host, port)
}

func (p pool) Ask(ctx context.Context, id int64) (got int64, err error) {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { conn.ReleaseErr(err) }()
	err = conn.QueryRow(ctx, "SELECT $1::bigint", id).Scan(&got)
	return got, err
}

// direct sends a query over a connection of its own, and returns the number that is the answer.
func direct(ctx context.Context, addr, query string) (n int, err error) {
	conn, err := pgx.Connect(ctx, dsn(addr))
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, query).Scan(&n)
	return n, err
}

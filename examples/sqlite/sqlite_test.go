package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/poolgen/poolgen/examples/internal/faults"
)

func TestAllVisitsAreCounted(t *testing.T) {
	out := new(strings.Builder)
	require.NoError(t, run(out, file(t)))
	require.Contains(t, out.String(), "640 visits")
	require.Contains(t, out.String(), "visitor 0 came 20 times")
}

func TestWritersOutlastALockByAnotherProgram(t *testing.T) {
	name := file(t)
	other := open(t, name)
	exec(t, other, "CREATE TABLE log (id int)")
	pool := small(t, name)
	load := faults.Start(t, 16, 300*time.Millisecond, func(ctx context.Context, id int64) (got int64, err error) {
		err = pool.With(ctx, func(c *sqlite.Conn) error { return write(c, id, &got) })
		return got, err
	})
	load.Answers(t, 100)
	exec(t, other, "BEGIN IMMEDIATE")
	load.Failures(t, 16)
	exec(t, other, "ROLLBACK")
	load.Recovers(t, time.Now(), func(context.Context) error {
		return sqlitex.ExecuteTransient(other, "SELECT count(*) FROM log", nil)
	})
	load.Stop(t)
	require.NoError(t, pool.Close(t.Context()))
	require.NoError(t, other.Close())
	requireNobodyElse(t, name)
}

func TestAQueryEndsWithItsContext(t *testing.T) {
	pool := small(t, file(t))
	require.NoError(t, pool.Warm(t.Context(), 1, nil)) // so that the time is the query's
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
	err := pool.With(ctx, func(c *sqlite.Conn) error { return sqlitex.ExecuteTransient(c, endless, nil) })
	require.Equal(t, sqlite.ResultInterrupt, sqlite.ErrCode(err))
	require.NoError(t, pool.Close(t.Context()))
}

func TestWhatOneRequesterLeavesOpenIsNotTheNextOnes(t *testing.T) {
	name := file(t)
	pool := small(t, name)
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	left := conn.Conn()
	exec(t, left, "BEGIN IMMEDIATE")
	conn.Release() // by mistake

	require.NoError(t, pool.With(t.Context(), func(c *sqlite.Conn) error {
		require.Same(t, left, c)
		require.True(t, c.AutocommitEnabled())
		return nil
	}))
	require.NoError(t, pool.Close(t.Context()))
	requireNobodyElse(t, name)
}

func file(t testing.TB) File { return File(filepath.Join(t.TempDir(), "test.db")) }

func small(t testing.TB, name File) *SqliteConnPool {
	pool, err := NewSqliteConnPool(name, SqliteConnPoolOptions{MaxSize: 4})
	require.NoError(t, err)
	return pool
}

func open(t testing.TB, name File) *sqlite.Conn {
	conn, err := OpenConn(name)
	require.NoError(t, err)
	return conn
}

func exec(t testing.TB, c *sqlite.Conn, query string) {
	t.Helper()
	require.NoError(t, sqlitex.ExecuteTransient(c, query, nil))
}

// write stores an id and reads what was stored.
func write(c *sqlite.Conn, id int64, got *int64) error {
	return sqlitex.Execute(c, "INSERT INTO log VALUES (?) RETURNING id", &sqlitex.ExecOptions{
		Args: []any{id},
		ResultFunc: func(row *sqlite.Stmt) error {
			*got = row.ColumnInt64(0)
			return nil
		},
	})
}

// requireNobodyElse asks SQLite to leave its write-ahead log, which it does only while nobody else has the file open.
func requireNobodyElse(t testing.TB, name File) {
	t.Helper()
	conn := open(t, name)
	defer conn.Close()
	conn.SetBusyTimeout(0)
	exec(t, conn, "PRAGMA journal_mode = delete")
}

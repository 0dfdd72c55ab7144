// Sqlite keeps a list of visits in a database file, with many goroutines that write and read over a few connections of
// a generated pool. There is no server, and no cgo.
//
//	go run ./examples/sqlite
//	go run ./examples/sqlite visits.db
package main

//go:generate go tool poolgen -type=sqlite.Conn -create=OpenConn

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	visitors = 32 // goroutines
	visits   = 20 // that each pays
)

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sqlite:", err)
		os.Exit(1)
	}
}

// start runs on the file that the command line names or, if it names none, on one that is gone afterwards.
func start(args []string) error {
	if len(args) > 0 {
		return run(os.Stdout, File(args[0]))
	}
	dir, err := os.MkdirTemp("", "poolgen-sqlite")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return run(os.Stdout, File(filepath.Join(dir, "visits.db")))
}

func run(w io.Writer, file File) error {
	pool, err := NewSqliteConnPool(file, SqliteConnPoolOptions{MaxSize: 4})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = pool.With(ctx, func(c *sqlite.Conn) error {
		return sqlitex.ExecuteTransient(c, "CREATE TABLE IF NOT EXISTS visits (visitor int, at text DEFAULT CURRENT_TIMESTAMP)", nil)
	})
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := visit(ctx, pool); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d visits in %v\n", visitors*visits, time.Since(begun).Round(time.Millisecond))
	if err := report(ctx, pool, w); err != nil {
		return err
	}
	st := pool.Stats()
	fmt.Fprintf(w, "%d leases of %d connections, %d waits\n", st.Acquired, st.Created, st.Waits)
	return pool.Close(ctx)
}

// visit writes all visits, each in a lease of its own.
func visit(ctx context.Context, pool *SqliteConnPool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var visiting sync.WaitGroup
	for visitor := range visitors {
		visiting.Go(func() {
			for range visits {
				if err := add(ctx, pool, visitor); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	visiting.Wait()
	return context.Cause(ctx)
}

func add(ctx context.Context, pool *SqliteConnPool, visitor int) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return sqlitex.Execute(conn.Conn(), "INSERT INTO visits (visitor) VALUES (?)", &sqlitex.ExecOptions{Args: []any{visitor}})
}

// report prints who came how often.
func report(ctx context.Context, pool *SqliteConnPool, w io.Writer) error {
	const query = "SELECT visitor, count(*), max(at) FROM visits GROUP BY visitor ORDER BY 2 DESC, 1 LIMIT 3"
	return pool.With(ctx, func(c *sqlite.Conn) error {
		return sqlitex.Execute(c, query, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			_, err := fmt.Fprintf(w, "visitor %d came %d times, last at %s\n", row.ColumnInt(0), row.ColumnInt(1), row.ColumnText(2))
			return err
		}})
	})
}

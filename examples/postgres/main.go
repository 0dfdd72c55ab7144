// Postgres transfers money between accounts in a PostgreSQL server, from many goroutines over a few connections of a
// generated pool, and shows that none is lost.
//
//	go run ./examples/postgres
package main

//go:generate go tool poolgen -type=Conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	accounts  = 20
	balance   = 100 // of each account, in the beginning
	clerks    = 32  // goroutines
	transfers = 50  // that each makes
)

func main() {
	if err := run(os.Stdout, os.Getenv("POOLGEN_POSTGRES")); err != nil {
		fmt.Fprintln(os.Stderr, "postgres:", err)
		os.Exit(1)
	}
}

// run works on the server that a URL or a list of key=value names; if there is none, on the one that the environment
// variables of PostgreSQL name, such as PGHOST.
func run(w io.Writer, server string) error {
	postgres, err := pgx.ParseConfig(server)
	if err != nil {
		return err
	}
	cfg := &Config{Postgres: postgres, CheckAfter: time.Second}
	pool, err := NewConnPool(cfg, ConnPoolOptions{MaxSize: 8, CreateTimeout: 5 * time.Second, HealthCheckTimeout: time.Second})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := pool.With(ctx, open); err != nil {
		return err
	}
	begun := time.Now()
	refused, err := work(ctx, pool)
	if err != nil {
		return err
	}
	var total int
	err = pool.With(ctx, func(c *Conn) error {
		if err := c.QueryRow(ctx, "SELECT sum(balance) FROM poolgen_accounts").Scan(&total); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "DROP TABLE poolgen_accounts")
		return err
	})
	if err != nil {
		return err
	}
	st := pool.Stats()
	fmt.Fprintf(w, "%d transfers in %v, %d of them refused; %d of %d are left\n",
		clerks*transfers, time.Since(begun).Round(time.Millisecond), refused, total, accounts*balance)
	fmt.Fprintf(w, "%d leases of %d connections, %d waits\n", st.Acquired, st.Created, st.Waits)
	return pool.Close(ctx)
}

// open opens the accounts.
func open(c *Conn) error {
	_, err := c.Exec(context.Background(), fmt.Sprintf(`
		DROP TABLE IF EXISTS poolgen_accounts;
		CREATE TABLE poolgen_accounts (id int PRIMARY KEY, balance int NOT NULL CHECK (balance >= 0));
		INSERT INTO poolgen_accounts SELECT id, %d FROM generate_series(1, %d) id`, balance, accounts))
	return err
}

// work makes all transfers, and counts those that an account could not pay.
func work(ctx context.Context, pool *ConnPool) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var refused atomic.Int64
	var working sync.WaitGroup
	for range clerks {
		working.Go(func() {
			for range transfers {
				from, to := 1+rand.IntN(accounts), 1+rand.IntN(accounts)
				switch err := transfer(ctx, pool, from, to, rand.IntN(balance)); {
				case errors.Is(err, errNoFunds):
					refused.Add(1)
				case err != nil:
					cancel(err)
				}
			}
		})
	}
	working.Wait()
	return refused.Load(), context.Cause(ctx)
}

var errNoFunds = errors.New("the account does not have that much")

// transfer moves an amount in one transaction.
func transfer(ctx context.Context, pool *ConnPool, from, to, amount int) (err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { conn.ReleaseErr(err) }()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// Both rows are locked in the order of their numbers, or two clerks could wait for each other.
		if _, err := tx.Exec(ctx, "SELECT FROM poolgen_accounts WHERE id IN ($1, $2) ORDER BY id FOR UPDATE", from, to); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "UPDATE poolgen_accounts SET balance = balance - $2 WHERE id = $1 AND balance >= $2", from, amount)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errNoFunds
		}
		_, err = tx.Exec(ctx, "UPDATE poolgen_accounts SET balance = balance + $2 WHERE id = $1", to, amount)
		return err
	})
}

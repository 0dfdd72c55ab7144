// Redis counts words in a Redis server, from many goroutines over a few connections of a generated pool.
//
//	go run ./examples/redis README.md
package main

//go:generate go tool poolgen -type=Conn

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: redis FILE; it counts the file's words in the server that POOLGEN_REDIS names, by default localhost:6379")
		os.Exit(2)
	}
	if err := run(os.Stdout, cmp.Or(os.Getenv("POOLGEN_REDIS"), "localhost:6379"), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "redis:", err)
		os.Exit(1)
	}
}

// run counts the words of a file and prints the most frequent ones.
func run(w io.Writer, addr, file string) error {
	cfg := &Config{Addr: addr, CheckAfter: time.Second}
	pool, err := NewConnPool(cfg, ConnPoolOptions{MaxSize: 8, CreateTimeout: 2 * time.Second, HealthCheckTimeout: time.Second})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	key := fmt.Sprintf("poolgen:words:%d", os.Getpid())
	if err := count(ctx, pool, key, file); err != nil {
		return err
	}
	err = pool.With(ctx, func(c *Conn) error {
		top, err := c.Do(ctx, "ZREVRANGE", key, "0", "9", "WITHSCORES")
		if err != nil {
			return err
		}
		for pair, _ := top.([]any); len(pair) >= 2; pair = pair[2:] {
			fmt.Fprintf(w, "%6s %s\n", pair[1], pair[0])
		}
		_, err = c.Do(ctx, "DEL", key)
		return err
	})
	if err != nil {
		return err
	}
	st := pool.Stats()
	fmt.Fprintf(w, "%d leases of %d connections, %d waits\n", st.Acquired, st.Created, st.Waits)
	return pool.Close(ctx)
}

// count adds the words of a file to a sorted set, the words of each line in a goroutine of their own.
func count(ctx context.Context, pool *ConnPool, key, file string) error {
	text, err := os.Open(file)
	if err != nil {
		return err
	}
	defer text.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var lines sync.WaitGroup
	scanner := bufio.NewScanner(text)
	for scanner.Scan() {
		words := strings.Fields(strings.ToLower(scanner.Text()))
		lines.Go(func() {
			if err := add(ctx, pool, key, words); err != nil {
				cancel(err)
			}
		})
	}
	lines.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return scanner.Err()
}

func add(ctx context.Context, pool *ConnPool, key string, words []string) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for _, word := range words {
		if _, err := conn.Do(ctx, "ZINCRBY", key, "1", word); err != nil {
			return err
		}
	}
	return nil
}

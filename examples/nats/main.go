// Nats sends requests to workers through a NATS server, over a few connections of a generated pool.
//
//	go run ./examples/nats -requests=10000
package main

//go:generate go tool poolgen -type=nats.Conn -create=connect -needs-check=IsClosed -check=FlushWithContext

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// subject is where the workers listen.
const subject = "poolgen.upper"

func main() {
	url := flag.String("url", cmp.Or(os.Getenv("POOLGEN_NATS"), nats.DefaultURL), "of the server; by default what POOLGEN_NATS says")
	requests := flag.Int("requests", 1000, "how many")
	size := flag.Int("size", 4, "how many connections at the most")
	flag.Parse()
	if err := run(os.Stdout, *url, *requests, *size); err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(1)
	}
}

// run sends requests from many goroutines to one worker, and prints how that went.
func run(w io.Writer, url string, requests, size int) error {
	worker, err := work(url)
	if err != nil {
		return err
	}
	defer worker.Close()
	pool, err := NewNatsConnPool(&Config{URL: url, Name: "poolgen example"}, NatsConnPoolOptions{MaxSize: size, CreateTimeout: 2 * time.Second})
	if err != nil {
		return err
	}
	ctx, timeout := context.WithTimeout(context.Background(), time.Minute)
	defer timeout()
	asking, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var running sync.WaitGroup
	begun := time.Now()
	for i := range 32 {
		running.Go(func() {
			for n := i; n < requests && asking.Err() == nil; n += 32 {
				if _, err := upper(asking, pool, fmt.Sprintf("request %d", n)); err != nil {
					fail(err)
				}
			}
		})
	}
	running.Wait()
	if err := context.Cause(asking); err != nil {
		return err
	}
	st := pool.Stats()
	fmt.Fprintf(w, "%d requests in %v over %d connections, %d waits\n", requests, time.Since(begun).Round(time.Millisecond), st.Created, st.Waits)
	return pool.Close(ctx)
}

// work answers requests on a connection of its own, which reconnects by itself, as there is nobody to replace it.
func work(url string) (*nats.Conn, error) {
	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		return nil, err
	}
	_, err = conn.QueueSubscribe(subject, "workers", func(m *nats.Msg) {
		_ = m.Respond([]byte(strings.ToUpper(string(m.Data)))) // the requester asks again if this fails
	})
	if err == nil {
		err = conn.Flush() // requests that are sent from now on arrive here
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// upper asks the workers. If ctx ends meanwhile, With discards the connection, which may be dead.
func upper(ctx context.Context, pool *NatsConnPool, text string) (answer string, err error) {
	err = pool.With(ctx, func(c *nats.Conn) error {
		m, err := c.RequestWithContext(ctx, subject, []byte(text))
		if err == nil {
			answer = string(m.Data)
		}
		return err
	})
	return answer, err
}

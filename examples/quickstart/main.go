// Quickstart shows a generated pool at work, and needs nothing but this folder: it starts a small
// TCP server, puts far more goroutines to work on it than the pool has connections, and has the server
// cut connections all the while. At the end it prints what happened, and proves that it adds up.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -for=10s -goroutines=200 -size=20 -cut=20ms
//
// Where to look: conn.go is the connection type, which could be yours; lineconn_pool.go is the pool that
// poolgen has made for it; load.go uses the pool. The other files are the stage.
package main

//go:generate go tool poolgen -type=LineConn

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings is the command line.
type settings struct {
	duration   time.Duration
	goroutines int
	size       int
	cut        time.Duration
}

func main() {
	s, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(2)
	}
	// The first Ctrl-C ends the load, and what is under way gets its answer; a second one ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	r, err := play(ctx, s, newLiveLine(os.Stdout))
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
	r.print(os.Stdout)
	problems := r.problems()
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, "quickstart:", problem)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
	fmt.Println("Everything adds up, and every answer reached the one who asked.")
}

// parse reads the command line.
func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.DurationVar(&s.duration, "for", 3*time.Second, "how long the load lasts")
	flags.IntVar(&s.goroutines, "goroutines", 64, "how many goroutines ask at the same time")
	flags.IntVar(&s.size, "size", 8, "how many connections the pool has at the most")
	flags.DurationVar(&s.cut, "cut", 150*time.Millisecond, "how often the server cuts connections (0: never)")
	flags.SetOutput(io.Discard) // main writes the error, without all the help
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Println("quickstart puts a load on a generated connection pool and reports. Flags:")
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return s, err
	case err != nil:
		return s, fmt.Errorf("%w; see quickstart -help", err)
	case flags.NArg() > 0:
		return s, fmt.Errorf("%q is not a flag; see quickstart -help", flags.Arg(0))
	case s.duration <= 0:
		return s, fmt.Errorf("-for is %v; it must be more than 0, for example -for=3s", s.duration)
	case s.goroutines < 1:
		return s, fmt.Errorf("-goroutines is %d; it must be at least 1", s.goroutines)
	case s.size < 1:
		return s, fmt.Errorf("-size is %d; it must be at least 1", s.size)
	case s.cut < 0:
		return s, fmt.Errorf("-cut is %v; it must be 0 (never) or more, for example -cut=150ms", s.cut)
	}
	return s, nil
}

// play runs the whole piece: server, pool, load, and everything closed again. When ctx ends, the load does.
func play(ctx context.Context, s settings, live *liveLine) (*result, error) {
	srv, err := listen()
	if err != nil {
		return nil, fmt.Errorf("the server can't listen on 127.0.0.1: %w", err)
	}
	defer srv.close()

	cfg := &Config{Addr: srv.addr(), CheckAfter: 20 * time.Millisecond}
	pool, err := NewLineConnPool(cfg, LineConnPoolOptions{MaxSize: s.size})
	if err != nil {
		return nil, err
	}

	ctx, cancel := context.WithTimeout(ctx, s.duration)
	defer cancel()
	go srv.cutEvery(ctx, s.cut)
	l := newLoad(pool)
	stopLive := live.start(l, srv)
	begun := time.Now()
	l.run(ctx, s.goroutines)
	took := time.Since(begun)
	stopLive()

	// All leases have ended, so this returns as soon as the last connection is closed.
	closing, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	closeErr := pool.Close(closing)
	srv.drain(closing)
	return &result{
		settings: s, took: took, closeErr: closeErr,
		load: l, latencies: l.latencies(), pool: pool.Stats(), server: srv.stats(),
	}, nil
}

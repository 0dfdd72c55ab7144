// Soak keeps generated pools of connections to PostgreSQL and Redis under a mixed load for as long as it is told, while
// everything goes wrong that may: connections are cut one by one, answers are late, reset or lost, servers are killed and
// frozen and brought back, requesters leave early, hooks fail, panic, hang and end their goroutines, and pools are reset,
// resized, sifted, drained and closed. Each request has an id that is checked against the answer. In the end nothing may
// have been lost, and memory, goroutines, file descriptors and connections must not have grown: else the exit code is 1.
//
//	go run ./examples/soak -for=1h -report=docs    from the repository's root; writes docs/soak.md
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

func main() {
	var o options
	flag.DurationVar(&o.lasts, "for", time.Minute, "how long")
	flag.Float64Var(&o.rate, "rate", 200, "requests per second, of all pools together")
	flag.StringVar(&o.report, "report", "", "the folder to write soak.md with its plots into, made if need be; by default none")
	flag.Parse()
	if flag.NArg() > 0 || o.lasts < 10*time.Second || o.rate <= 0 {
		fmt.Fprintln(os.Stderr, "soak: takes no arguments, at least -for=10s, and a positive -rate")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := withServices(func() error { return run(ctx, o) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

type options struct {
	lasts  time.Duration
	rate   float64
	report string
}

// soak is all there is in one run.
type soak struct {
	options
	begun    time.Time
	played   time.Duration // how long it really was
	stalled  time.Duration // for how long of that it did not run
	load     string        // of the machine, when it began
	ledger   *ledger
	backends []*backend
	pools    []*pool
	weather  *weather
	sampler  *sampler
}

func run(ctx context.Context, o options) error {
	if o.report != "" { // or the report of an hour would have nowhere to go
		if err := os.MkdirAll(o.report, 0o755); err != nil {
			return err
		}
	}
	before := residue{goroutines(), openFiles()}
	s := &soak{options: o, begun: time.Now(), load: firstMatch("/proc/loadavg", `^(\S+)`), ledger: newLedger()}
	var err error
	if s.backends, err = findBackends(); err != nil {
		return err
	}
	s.addPools()
	s.weather = &weather{ledger: s.ledger, now: map[string]string{}, count: map[string]int{}, took: map[string][]time.Duration{}}
	period := max(o.lasts/600, 500*time.Millisecond)
	s.sampler = &sampler{ledger: s.ledger, backends: s.backends, begun: s.begun, samples: make([]sample, 0, int(o.lasts/period)+1)}
	if err := s.play(ctx, period); err != nil {
		return err
	}
	s.finish(before)
	return s.conclude()
}

// addPools adds a pool of each kind to each server.
func (s *soak) addPools() {
	for _, b := range s.backends {
		for kind, make := range map[string]func(*Site) (*incarnation, error){"lean": newLean, "usual": newUsual, "full": newFull, "keyed": newKeyed} {
			p := &pool{name: kind + " " + b.Name, backend: b, make: make, ledger: s.ledger}
			b.pools = append(b.pools, p)
			s.pools = append(s.pools, p)
		}
	}
}

// play has everything happen for as long as it is to last.
func (s *soak) play(ctx context.Context, period time.Duration) error {
	for _, p := range s.pools {
		if err := p.open(); err != nil {
			return err
		}
	}
	sampling, sampled := context.WithCancel(context.Background())
	var collecting, playing sync.WaitGroup
	collecting.Go(func() { s.sampler.run(sampling, period) })
	collecting.Go(func() { s.live(sampling) })
	collecting.Go(func() { s.ledger.stalls.Watch(sampling) })
	ctx, cancel := context.WithTimeout(ctx, s.lasts)
	defer cancel()
	for _, p := range s.pools {
		playing.Go(func() { p.load(ctx, s.rate/float64(len(s.pools))) })
		playing.Go(func() { p.tend(ctx) })
	}
	for _, b := range s.backends {
		playing.Go(func() { s.weather.blow(ctx, b) })
	}
	playing.Wait()
	s.played, s.stalled = time.Since(s.begun), s.ledger.stalls.Total()
	for _, p := range s.pools { // while leases that were forgotten are collected
		p.busy.Wait()
	}
	sampled()
	collecting.Wait()
	return nil
}

// residue is what the process has besides memory.
type residue struct {
	goroutines int
	files      float64
}

// finish ends the pools, and checks that nothing has been lost and nothing is left.
func (s *soak) finish(before residue) {
	runtime.GC()
	runtime.GC()
	for _, p := range s.pools {
		if err := p.allPlaces(); err != nil {
			s.ledger.violated("%s: %v", p.name, err)
		}
		p.now.Load().end()
	}
	for _, b := range s.backends {
		b.proxy.Close()
		if err := b.Settle(); err != nil {
			s.ledger.violated("%s: %v", b.Name, err)
		}
		if !eventually(func() bool { return serverSide(context.Background(), b) == 0 }) {
			s.ledger.violated("%s: %v connections are left", b.Name, serverSide(context.Background(), b))
		}
	}
	if !s.nothingLeft(before) {
		s.ledger.violated("%d goroutines and %v files are left, before there were %d and %v",
			goroutines(), openFiles(), before.goroutines, before.files)
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
	}
}

// nothingLeft waits: pgx may take 15 seconds to have a query cancelled on a server that was away.
func (s *soak) nothingLeft(before residue) bool {
	for range 4 {
		if eventually(func() bool { return goroutines() <= before.goroutines && openFiles() <= before.files }) {
			return true
		}
	}
	return false
}

// live shows what is going on: on a terminal each second in one line, else in a line each minute.
func (s *soak) live(ctx context.Context) {
	period, end := time.Minute, "\n"
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		period, end = time.Second, "\r"
	}
	for sleep(ctx, period) {
		s.ledger.mu.Lock()
		answered, failed := s.ledger.answered, 0
		for _, n := range s.ledger.failed {
			failed += n
		}
		violations := s.ledger.violation
		s.ledger.mu.Unlock()
		fmt.Fprintf(os.Stderr, "%8v  %d answers, %d errors, %d violations; %d goroutines; %v%s",
			time.Since(s.begun).Round(time.Second), answered, failed, violations, runtime.NumGoroutine(), s.weather, end)
	}
	fmt.Fprintln(os.Stderr)
}

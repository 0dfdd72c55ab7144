package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// fault is what may happen to a server, or to the network before it.
type fault struct {
	name  string
	often int // in a round of all
	lasts time.Duration
	begin func(b *backend) error
	end   func(ctx context.Context, b *backend) (time.Time, error) // says when the server was back
}

var faults = []fault{
	{"connection cut", 4, 0, func(b *backend) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return b.cut(ctx, b.TCP)
	}, nil},
	{"latency", 1, 700 * time.Millisecond, func(b *backend) error { return b.proxy.Delay(30 * time.Millisecond) }, heal},
	{"resets", 1, 300 * time.Millisecond, func(b *backend) error { return b.proxy.Reset() }, heal},
	{"black hole", 1, 700 * time.Millisecond, func(b *backend) error { return b.proxy.BlackHole() }, heal},
	{"refused", 1, 300 * time.Millisecond, func(b *backend) error { return b.proxy.Refuse() }, heal},
	{"server killed", 1, 200 * time.Millisecond, func(b *backend) error { return b.Kill() },
		func(ctx context.Context, b *backend) (time.Time, error) { return b.Start(ctx, b.probe) }},
	{"server frozen", 1, 700 * time.Millisecond, func(b *backend) error { return b.Freeze() },
		func(ctx context.Context, b *backend) (time.Time, error) { return b.Thaw(ctx, b.probe) }},
}

func heal(_ context.Context, b *backend) (time.Time, error) { return b.proxy.Heal() }

// weather is what has happened to the servers.
type weather struct {
	ledger *ledger
	mu     sync.Mutex
	now    map[string]string          // fault by server
	count  map[string]int             // faults by name,
	took   map[string][]time.Duration // and how long the slowest pool took until it had answered a request that began after each
}

// blow does one thing after the other to a server, in rounds of all faults in any order, until ctx ends.
func (w *weather) blow(ctx context.Context, b *backend) {
	var round []fault
	for sleep(ctx, 500*time.Millisecond+exponential(time.Second)) {
		if len(round) == 0 {
			for _, f := range faults {
				round = append(round, slices.Repeat([]fault{f}, f.often)...)
			}
			rand.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		}
		w.strike(ctx, b, round[0])
		round = round[1:]
	}
}

// strike does one thing, and waits until all is well again.
func (w *weather) strike(ctx context.Context, b *backend, f fault) {
	w.note(b, f.name)
	defer w.note(b, "")
	if err := f.begin(b); err != nil {
		w.ledger.violated("%s: %s: %v", b.Name, f.name, err)
	}
	if f.end == nil {
		return
	}
	sleep(ctx, f.lasts)
	patience, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	back, err := f.end(patience, b)
	if err != nil {
		w.ledger.violated("%s: after %s: %v", b.Name, f.name, err)
	}
	stalled := w.ledger.stalls.Total()
	for _, p := range b.pools {
		if !w.recovers(ctx, p, back) {
			return
		}
	}
	took := time.Since(back) - (w.ledger.stalls.Total() - stalled)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.took[f.name] = append(w.took[f.name], took)
}

// recovers waits until a pool answers again, and reports whether the soak has not ended meanwhile. Usually that takes no longer than
// until somebody asks; but hooks fail meanwhile, creates pause after failures, and the machine has other things to do.
func (w *weather) recovers(ctx context.Context, p *pool, back time.Time) bool {
	recovered := eventually(func() bool { return p.answered.Load() >= back.UnixNano() || ctx.Err() != nil })
	if !recovered {
		w.ledger.violated("%s: no answer %v after the server's return; %+v", p.name, time.Since(back), p.now.Load().numbers())
	}
	return ctx.Err() == nil
}

func (w *weather) note(b *backend, fault string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now[b.Name] = fault
	if fault != "" {
		w.count[fault]++
	}
}

// String tells what happens now.
func (w *weather) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("postgres: %-14s redis: %-14s", w.now["postgres"], w.now["redis"])
}

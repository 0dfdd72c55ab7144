package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"
)

// levels are what must not grow.
var levels = []struct {
	name  string
	least float64 // how much it may grow from end to end, if a tenth of it is less
	unit  float64 // in which it is printed
}{
	{"heap in use, MiB", 1 << 20, 1 << 20},
	{"RSS, MiB", 8 << 20, 1 << 20},
	{"goroutines", 4, 1},
	{"file descriptors", 4, 1},
	{"connections at PostgreSQL", 2, 1},
	{"connections at Redis", 2, 1},
}

// sample is the state of the process and of the servers at a time.
type sample struct {
	at       time.Duration // since the beginning
	levels   [6]float64    // NaN if the server was away
	p50, p99 float64       // milliseconds until an answer, since the sample before
	answered float64       // per second, since then,
	failed   [9]float64    // by kind
}

// sampler takes samples. It has room for all from the beginning: what it keeps must not look like a leak.
type sampler struct {
	ledger   *ledger
	backends []*backend
	begun    time.Time
	samples  []sample

	lastAt       time.Duration
	lastAnswered int
	lastFailed   map[string]int
}

// run takes a sample once in a period, until ctx ends.
func (s *sampler) run(ctx context.Context, period time.Duration) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if len(s.samples) < cap(s.samples) {
				s.samples = append(s.samples, s.take(ctx))
			}
		}
	}
}

// take measures what is left after a garbage collection.
func (s *sampler) take(ctx context.Context) sample {
	debug.FreeOSMemory()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	now := sample{at: time.Since(s.begun)}
	now.levels = [6]float64{float64(memory.HeapInuse), residentBytes(), float64(goroutines()), openFiles(), serverSide(ctx, s.backends[0]), serverSide(ctx, s.backends[1])}

	answered, failed, latencies := s.ledger.look()
	seconds := (now.at - s.lastAt).Seconds()
	now.answered = float64(answered-s.lastAnswered) / seconds
	for i, kind := range kinds {
		now.failed[i] = float64(failed[kind.name]-s.lastFailed[kind.name]) / seconds
	}
	now.p50, now.p99 = quantile(latencies, 0.5), quantile(latencies, 0.99)
	s.lastAt, s.lastAnswered, s.lastFailed = now.at, answered, failed
	return now
}

// goroutines counts those that the soak has to answer for: without those of requests, which come and go with the load,
// and of toxiproxy, which leaves one behind now and then, as its links send to whom nobody reads from.
func goroutines() (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		if !bytes.Contains(stack, []byte("main.(*pool).request(")) && !bytes.Contains(stack, []byte("/toxiproxy/")) {
			n++
		}
	}
	return n
}

// serverSide asks a server how many connections it has. It may be away.
func serverSide(ctx context.Context, b *backend) float64 {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	n, err := b.count(ctx, b.TCP)
	if err != nil {
		return math.NaN()
	}
	return float64(n)
}

func residentBytes() float64 {
	text, _ := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return math.NaN()
	}
	pages, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return math.NaN()
	}
	return float64(pages * os.Getpagesize())
}

func openFiles() float64 {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return math.NaN()
	}
	return float64(len(files) - 1) // without the one that reads this
}

// quantile is in milliseconds, and NaN of nothing.
func quantile(of []time.Duration, q float64) float64 {
	if len(of) == 0 {
		return math.NaN()
	}
	of = slices.Sorted(slices.Values(of))
	return of[int(q*float64(len(of)-1))].Seconds() * 1000
}

package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"
)

// liveLine shows how things stand, on a line that it writes again and again.
type liveLine struct {
	out *os.File // nil if nobody is watching
}

// newLiveLine is a line on out if that is a terminal: in a file or a pipe it would only be a nuisance.
func newLiveLine(out *os.File) *liveLine {
	info, err := out.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &liveLine{}
	}
	return &liveLine{out}
}

// start writes the line from now on until the returned function is called, which wipes it.
func (live *liveLine) start(l *load, srv *server) (stop func()) {
	if live.out == nil {
		return func() {}
	}
	quit, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			live.write(l, srv)
			select {
			case <-tick.C:
			case <-quit:
				fmt.Fprint(live.out, "\r\033[K")
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-stopped
	}
}

func (live *liveLine) write(l *load, srv *server) {
	pool := l.pool.Stats()
	fmt.Fprintf(live.out, "\r\033[K%5.1fs  %s answered  %d in use, %d idle, %d waiting  %d cut, %d reconnects",
		time.Since(l.begun).Seconds(), grouped(int(l.answered.Load())), pool.InUse, pool.Idle, pool.Waiting,
		srv.stats().cut, l.reconnects.Load())
}

// result is what has come of it.
type result struct {
	settings  settings
	took      time.Duration
	closeErr  error // of closing the pool
	load      *load
	latencies []time.Duration // sorted
	pool      LineConnPoolStats
	server    serverStats
}

// print writes the table.
func (r *result) print(w io.Writer) {
	rate := float64(r.load.answered.Load()) / r.took.Seconds()
	fmt.Fprintf(w, "goroutines: %d, connections: at most %d, time: %v, answers a second: %s\n\n",
		r.settings.goroutines, r.settings.size, r.took.Round(time.Millisecond), grouped(int(rate)))
	for _, s := range r.sums() {
		s.print(w)
	}
	waits := int(r.pool.Waits)
	row(w, "waits for a connection", grouped(waits))
	row(w, "  average wait", millis(r.pool.WaitTime/time.Duration(max(waits, 1))))
	row(w, "health checks answered", grouped(int(r.server.pings)))
	fmt.Fprintln(w)
	row(w, "latency", "p50", "p99", "p99.9", "max")
	row(w, "  of an answer", millis(percentile(r.latencies, 50)), millis(percentile(r.latencies, 99)),
		millis(percentile(r.latencies, 99.9)), millis(percentile(r.latencies, 100)))
	fmt.Fprintln(w)
	if err := r.load.firstFailure; err != nil {
		fmt.Fprintf(w, "The first request that failed: %v\n\n", err)
	}
}

// problems says what is wrong, if anything is.
func (r *result) problems() []error {
	var problems []error
	for _, s := range r.sums() {
		if err := s.check(); err != nil {
			problems = append(problems, err)
		}
	}
	if r.openInPool() > 0 || r.server.open > 0 {
		problems = append(problems, fmt.Errorf("connections are still open: %d in the pool, %d at the server",
			r.openInPool(), r.server.open))
	}
	if n := r.load.wrong.Load(); n > 0 {
		problems = append(problems, fmt.Errorf("%d answers reached the wrong requester", n))
	}
	if r.closeErr != nil {
		problems = append(problems, r.closeErr)
	}
	return problems
}

// row writes a label and columns of numbers.
func row(w io.Writer, label string, columns ...string) {
	fmt.Fprintf(w, "%-34s", label)
	for _, column := range columns {
		fmt.Fprintf(w, "%10s", column)
	}
	fmt.Fprintln(w)
}

// percentile returns the sample that p percent of all do not exceed.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

// grouped writes a number as 1,234,567.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

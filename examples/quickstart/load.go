package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// patience is how long a request may take, with all that is tried for it.
	patience = 2 * time.Second
	// At the end of each beat all goroutines rest. What was cut meanwhile is found by health checks.
	beat = 500 * time.Millisecond
	rest = 50 * time.Millisecond
)

// load is many goroutines that ask the server, each one request after another.
type load struct {
	pool  *LineConnPool
	begun time.Time

	requests   atomic.Uint64 // begun; each ends as one of the next two
	answered   atomic.Uint64
	failed     atomic.Uint64
	reconnects atomic.Uint64 // leases discarded after a network error, the request being tried again
	givenUp    atomic.Uint64 // leases discarded because the time was up or the answer was wrong
	wrong      atomic.Uint64 // answers that belonged to another request

	mu           sync.Mutex // guards what follows
	samples      []time.Duration
	firstFailure error
}

func newLoad(pool *LineConnPool) *load { return &load{pool: pool, begun: time.Now()} }

// run has n goroutines ask until ctx ends. It returns when the last of them has its answer.
func (l *load) run(ctx context.Context, n int) {
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { l.work(ctx, i) })
	}
	running.Wait()
}

// work is one of the goroutines. It keeps its latencies to itself until the end, so that taking them
// doesn't disturb the others.
func (l *load) work(ctx context.Context, goroutine int) {
	var samples []time.Duration
	for i := 0; ctx.Err() == nil; i++ {
		begun := time.Now()
		err := l.request(fmt.Sprintf("%d-%d", goroutine, i))
		if err == nil {
			samples = append(samples, time.Since(begun))
		}
		l.pause(ctx)
	}
	l.mu.Lock()
	l.samples = append(l.samples, samples...)
	l.mu.Unlock()
}

// pause rests if it is time for that.
func (l *load) pause(ctx context.Context) {
	left := beat - time.Since(l.begun)%beat
	if left > rest {
		return
	}
	select {
	case <-time.After(left):
	case <-ctx.Done():
	}
}

// request asks for one answer and counts what came of it. It has a time limit of its own: the end of the
// load ends no request.
func (l *load) request(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l.requests.Add(1)
	err := l.ask(ctx, id)
	if err == nil {
		l.answered.Add(1)
		return nil
	}
	l.failed.Add(1)
	l.mu.Lock()
	if l.firstFailure == nil {
		l.firstFailure = err
	}
	l.mu.Unlock()
	return err
}

// ask leases a connection and sends the request, if need be over one connection after another. That is
// right for a request that does no harm when it is carried out twice, as this one.
func (l *load) ask(ctx context.Context, id string) error {
	for {
		conn, err := l.pool.Acquire(ctx)
		if errors.Is(err, syscall.ECONNRESET) {
			continue // cut while it was being dialed: there is no lease to discard
		} else if err != nil {
			return err
		}
		answer, err := conn.Do(ctx, "ECHO "+id)
		switch {
		case err == nil && answer == id:
			conn.Release()
			return nil
		case err == nil:
			conn.Discard()
			l.givenUp.Add(1)
			l.wrong.Add(1)
			return fmt.Errorf("request %s got the answer %q, which is another's", id, answer)
		case errors.Is(err, os.ErrDeadlineExceeded):
			conn.Discard()
			l.givenUp.Add(1)
			return fmt.Errorf("request %s had no answer in %v: %w", id, patience, err)
		}
		conn.Discard()
		l.reconnects.Add(1)
	}
}

// latencies returns how long the answered requests took, sorted.
func (l *load) latencies() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.samples)
	return l.samples
}

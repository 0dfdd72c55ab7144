package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/poolgen/poolgen/examples/internal/servers"
)

// ledger is what has come of all requests, and what must not have happened. It does not grow with time.
type ledger struct {
	ids      atomic.Int64
	mischief atomic.Int64 // that hooks did
	leaks    atomic.Int64 // reports
	ended    atomic.Int64 // incarnations
	stalls   servers.Stalls

	mu         sync.Mutex // guards what follows
	answered   int
	failed     map[string]int    // by kind,
	examples   map[string]string // with one error for each
	latencies  []time.Duration   // of answers since the last look
	latest     time.Duration     // by how much a call missed its deadline
	violations []string          // the first of them
	violation  int
}

func newLedger() *ledger {
	return &ledger{failed: map[string]int{}, examples: map[string]string{}, latencies: make([]time.Duration, 0, 1<<14)}
}

func (l *ledger) nextID() int64 { return l.ids.Add(1) }

// violated notes what must not happen.
func (l *ledger) violated(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violation++
	if l.violation <= 50 {
		l.violations = append(l.violations, fmt.Sprintf(format, args...))
		fmt.Fprintf(os.Stderr, "\nVIOLATED at %s: %s\n", time.Now().Format(time.TimeOnly), l.violations[l.violation-1])
	}
}

// slack is how much later than its deadline a call may end, besides the time for which the process did not run at all.
const slack = 500 * time.Millisecond

// outcome notes what has come of a request.
func (l *ledger) outcome(name string, begun, deadline time.Time, stalled time.Duration, err error) {
	now := time.Now()
	late := now.Sub(deadline)
	if late > slack {
		late -= l.stalls.Settled() - stalled
	}
	if late > slack {
		l.violated("%s: a call ended %v after its deadline: %v", name, late, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latest = max(l.latest, late)
	if err == nil {
		l.answered++
		if len(l.latencies) < cap(l.latencies) {
			l.latencies = append(l.latencies, now.Sub(begun))
		}
		return
	}
	kind := kindOf(err)
	l.failed[kind]++
	if _, known := l.examples[kind]; !known {
		l.examples[kind] = err.Error()
	}
}

// look returns what has come of all requests so far, and the latencies since it was called last.
func (l *ledger) look() (answered int, failed map[string]int, latencies []time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	latencies = append(latencies, l.latencies...)
	l.latencies = l.latencies[:0]
	return l.answered, maps.Clone(l.failed), latencies
}

var (
	errEnded    = errors.New("the request's goroutine was ended")
	errPanicked = errors.New("a panic reached the requester")
)

// kinds are what requests fail for, the first that fits.
var kinds = []struct {
	name string
	is   func(error) bool
}{
	{"pool closed", isOne(ErrLeanPoolClosed, ErrUsualPoolClosed, ErrFullPoolClosed)},
	{"pool exhausted", isOne(ErrUsualPoolExhausted, ErrFullPoolExhausted)},
	{"panic of the requester's", isOne(errPanicked, errEnded)},
	{"hook's mischief", func(err error) bool { return strings.Contains(err.Error(), errMischief.Error()) }}, // of panics there is only the text
	{"deadline", isOne(context.DeadlineExceeded, context.Canceled, os.ErrDeadlineExceeded)},
	{"server says no", func(err error) bool { return errors.As(err, new(*pgconn.PgError)) }},
	{"connection lost", isOne(io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed)},
	{"connection refused", isOne(syscall.ECONNREFUSED)},
	{"other", func(error) bool { return true }},
}

func isOne(of ...error) func(error) bool {
	return func(err error) bool {
		for _, one := range of {
			if errors.Is(err, one) {
				return true
			}
		}
		return false
	}
}

func kindOf(err error) string {
	for _, kind := range kinds {
		if kind.is(err) {
			return kind.name
		}
	}
	panic("unreachable")
}

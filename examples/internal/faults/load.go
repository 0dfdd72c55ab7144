package faults

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	recovery = 250 * time.Millisecond // after the server's return there is an answer
	slack    = 250 * time.Millisecond // a call may end that much later as the machine has other things to do
)

// pause is how long a requester who failed waits before the next request, as one would who does not want to make it worse.
const pause = 2 * time.Millisecond

// Load is requests from many goroutines. Each has an id, which the answer must have too, and a deadline,
// by which the call must end.
type Load struct {
	patience time.Duration
	ask      func(ctx context.Context, id int64) (int64, error)
	stop     chan struct{}
	workers  sync.WaitGroup

	mu       sync.Mutex // guards what follows
	ids      int64
	answered int64
	failed   int64
	last     error         // the latest failure
	wrong    []string      // answers that were another's
	longest  time.Duration // of all calls,
	slow     error         // and what came of that one
	answers  chan struct{} // closed, and made anew, with each answer
}

// Start begins a load: ask leases a connection, sends the id and returns the one in the answer. It has until the deadline
// of its context, which is patience away. The load ends with the test, if not before.
func Start(t testing.TB, goroutines int, patience time.Duration, ask func(ctx context.Context, id int64) (int64, error)) *Load {
	l := &Load{patience: patience, ask: ask, stop: make(chan struct{}), answers: make(chan struct{})}
	for range goroutines {
		l.workers.Go(l.work)
	}
	t.Cleanup(l.end)
	return l
}

func (l *Load) work() {
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		if !l.request() {
			time.Sleep(pause)
		}
	}
}

// request reports whether there was an answer.
func (l *Load) request() bool {
	l.mu.Lock()
	l.ids++
	id := l.ids
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), l.patience)
	defer cancel()
	begun := time.Now()
	got, err := l.ask(ctx, id)
	took := time.Since(begun)

	l.mu.Lock()
	defer l.mu.Unlock()
	if took > l.longest {
		l.longest, l.slow = took, err
	}
	if err != nil {
		l.failed++
		l.last = err
		return false
	}
	if got != id {
		l.wrong = append(l.wrong, fmt.Sprintf("request %d got the answer of %d", id, got))
	}
	l.answered++
	close(l.answers)
	l.answers = make(chan struct{})
	return true
}

// end stops all requesters.
func (l *Load) end() {
	l.mu.Lock()
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.mu.Unlock()
	l.workers.Wait()
}

// Stop ends the load and checks what must hold whatever has happened: no call was late, and no answer went to the wrong
// requester.
func (l *Load) Stop(t testing.TB) {
	t.Helper()
	l.end()
	t.Logf("%d answers, %d failures, longest call %v (%v), latest failure: %v", l.answered, l.failed, l.longest, l.slow, l.last)
	require.Empty(t, l.wrong)
	require.NotZero(t, l.answered)
	require.Less(t, l.longest, l.patience+slack, "a call did not end by its deadline")
}

// Answers waits for so many more answers.
func (l *Load) Answers(t testing.TB, n int) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for range n {
		l.mu.Lock()
		next := l.answers
		l.mu.Unlock()
		select {
		case <-next:
		case <-limit:
			t.Fatalf("no answer in 10s; latest failure: %v", l.failure())
		}
	}
}

// Failures waits for so many more failures: the fault is felt.
func (l *Load) Failures(t testing.TB, n int64) {
	t.Helper()
	l.mu.Lock()
	until := l.failed + n
	l.mu.Unlock()
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.failed >= until
	}, 10*time.Second, time.Millisecond, "nobody notices the fault")
}

// Recovers waits for the first answer after the server's return, which must come within 250 ms.
func (l *Load) Recovers(t testing.TB, back time.Time) {
	t.Helper()
	l.Answers(t, 1)
	took := time.Since(back)
	t.Logf("first answer %v after the return", took)
	require.Less(t, took, recovery, "the load recovers too slowly")
	l.Answers(t, 20)
}

func (l *Load) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

package faults

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/examples/internal/servers"
)

const (
	recovery = 250 * time.Millisecond // after the server's return there is an answer
	slack    = 250 * time.Millisecond // a call may end that much later than its deadline
)

// pause is how long a requester waits before the next request, so that pool, server and test get to run.
const pause = 2 * time.Millisecond

// Load is requests from many goroutines. Each has an id, which the answer must have too, and a deadline,
// by which the call must end.
type Load struct {
	patience time.Duration
	ask      func(ctx context.Context, id int64) (int64, error)
	stop     chan struct{}
	workers  sync.WaitGroup
	stalls   servers.Stalls

	mu       sync.Mutex // guards what follows
	ids      int64
	answered int64
	failed   int
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
	watching, watched := context.WithCancel(context.Background())
	go l.stalls.Watch(watching)
	t.Cleanup(func() {
		l.end()
		watched()
	})
	return l
}

func (l *Load) work() {
	for {
		select {
		case <-l.stop:
			return
		default:
			l.request()
			time.Sleep(pause)
		}
	}
}

func (l *Load) request() {
	l.mu.Lock()
	l.ids++
	id := l.ids
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), l.patience)
	defer cancel()
	begun, before := time.Now(), l.stalls.Total()
	got, err := l.ask(ctx, id)
	took := time.Since(begun)
	if took > l.patience+slack {
		took -= l.stalls.Settled() - before
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if took > l.longest {
		l.longest, l.slow = took, err
	}
	if err != nil {
		l.failed++
		l.last = err
		return
	}
	if got != id {
		l.wrong = append(l.wrong, fmt.Sprintf("request %d got the answer of %d", id, got))
	}
	l.answered++
	close(l.answers)
	l.answers = make(chan struct{})
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

// Stop ends the load and checks what must hold whatever has happened: no call was late, unless the machine kept all of the
// process from running, and no answer went to the wrong requester.
func (l *Load) Stop(t testing.TB) {
	t.Helper()
	l.end()
	t.Logf("%d answers, %d failures, longest call %v (%v), stalled for %v, latest failure: %v", l.answered, l.failed, l.longest, l.slow, l.stalls.Total(), l.last)
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
func (l *Load) Failures(t testing.TB, n int) {
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

// Recovers waits for the first answer after the server's return, which must come within 250 ms. The probe asks the server
// something meanwhile, again and again, over connections of its own. On a machine that has other things to do that takes its
// time, too, and as a pool has to dial, introduce itself, ask and perhaps do that again, its answer may be later by as long as
// four probes take, and by what the process stalled.
func (l *Load) Recovers(t testing.TB, back time.Time, probe func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	stalled := l.stalls.Total()
	slowest := make(chan time.Duration, 1)
	go func() { slowest <- slowestOf(ctx, probe) }()
	l.Answers(t, 1)
	took := time.Since(back)
	cancel()
	probed := <-slowest
	t.Logf("first answer %v after the return; slowest probe meanwhile %v", took, probed)
	if took > recovery {
		took -= l.stalls.Settled() - stalled
	}
	require.Less(t, took, recovery+4*probed, "the load recovers too slowly")
	l.Answers(t, 20)
}

// slowestOf probes until ctx ends, and returns how long the slowest probe took.
func slowestOf(ctx context.Context, probe func(context.Context) error) (slowest time.Duration) {
	for ctx.Err() == nil {
		begun := time.Now()
		_ = probe(ctx) // the one that ctx ends fails
		slowest = max(slowest, time.Since(begun))
		time.Sleep(pause)
	}
	return slowest
}

func (l *Load) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

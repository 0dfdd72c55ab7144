package histories

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

var (
	seed  = flag.Uint64("seed", 0, "of the first history, by default a random one")
	count = flag.Int("histories", 60, "how many histories of each kind of pool")
)

func describe(e event) string {
	return fmt.Sprintf("%s lease %d connection %d n %d: %s", e.op, e.lease, e.conn, e.n, e.how)
}

// history records what the goroutines of one test do, each for itself: nothing that they share would hide a race.
type history struct {
	*Server
	*subject
	seed   uint64
	size   int
	events [][]porcupine.Operation // by goroutine
}

const users = 8

func TestHistories(t *testing.T) {
	first := *seed
	if first == 0 {
		first = rand.Uint64()
	}
	fmt.Fprintln(os.Stderr, "seed", first) // now: a race or a panic would not say
	for name, of := range map[string]func(require.TestingT, *Server, int) *subject{
		"full":    func(t require.TestingT, s *Server, n int) *subject { _, p := fullSubject(t, s, n); return p },
		"lean":    leanSubject,
		"barging": bargingSubject,
	} {
		t.Run(name, func(t *testing.T) {
			for i := range *count {
				record(t, first+uint64(i), of).check(t)
			}
		})
	}
}

// record lets goroutines use a pool at random, and closes it while the last ones still do.
func record(t *testing.T, seed uint64, of func(require.TestingT, *Server, int) *subject) *history {
	random := rand.New(rand.NewPCG(seed, 0))
	h := &history{seed: seed, size: 1 + random.IntN(4), events: make([][]porcupine.Operation, 2*users+1)}
	h.Server = &Server{script: h.misbehave, needs: func(c *connection) bool { return h.fate("needs check", c).IntN(3) == 0 }, began: time.Now()}
	h.subject = of(t, h.Server, h.size)
	var all sync.WaitGroup
	for i := range users {
		all.Go(func() { (&user{history: h, id: i, random: rand.New(rand.NewPCG(seed, uint64(i+1)))}).run() })
	}
	time.Sleep(time.Duration(random.IntN(8)) * time.Millisecond)
	begun := time.Since(h.began)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := h.subject.close(ctx)
	require.NoError(t, err, "seed %d: Close", seed)
	h.note(2*users, begun, event{op: "close begins"})
	h.note(2*users, begun, event{op: "close ends"})
	all.Wait()
	return h
}

// fate is what a hook draws from: it depends on the seed, the hook and the connection alone, so that a seed makes the same
// hooks go wrong again, and the goroutines that call them need nothing in common.
func (h *history) fate(hook string, c *connection) *rand.Rand {
	name := fnv.New32a()
	name.Write([]byte(hook))
	return rand.New(rand.NewPCG(h.seed, uint64(name.Sum32())<<32|uint64(c.id)))
}

// misbehave is every hook: now and then it fails, takes its time, panics, or ends its goroutine.
func (h *history) misbehave(_ context.Context, hook string, c *connection) error {
	random := h.fate(hook, c)
	switch n := random.IntN(60); {
	case n < 3:
		time.Sleep(time.Duration(random.Int64N(int64(200 * time.Microsecond))))
	case n < 6:
		return errRefused
	case n == 6:
		panic("oh no")
	case n == 7 && hook != "broken": // which is in its caller's goroutine
		runtime.Goexit()
	}
	return nil
}

func (h *history) note(goroutine int, begun time.Duration, e event) {
	h.events[goroutine] = append(h.events[goroutine],
		porcupine.Operation{ClientId: goroutine, Input: e, Call: int64(begun), Return: int64(time.Since(h.began))})
}

// check requires that there is an order of all that happened in which it could have happened one after the other.
func (h *history) check(t *testing.T) {
	var all []porcupine.Operation
	for _, events := range h.events {
		for _, o := range events {
			if how := o.Input.(event).how; how != "canceled" && how != "exhausted" { // these may always be
				all = append(all, o)
			}
		}
	}
	h.mu.Lock() // what was inserted after the end may still be closed
	defer h.mu.Unlock()
	for _, c := range h.conns {
		require.LessOrEqual(t, c.closes.Load(), int32(1), "seed %d: closes of connection %d", h.seed, c.id)
		if c.closes.Load() > 0 {
			all = append(all, porcupine.Operation{ClientId: 2*users + 1, Input: event{op: "hook closes", conn: c.id}, Call: c.closed.Load(), Return: c.closed.Load() + 1})
		}
	}
	result, info := porcupine.CheckOperationsVerbose(model(h.size), all, time.Minute)
	if result == porcupine.Ok {
		return
	}
	path := filepath.Join(os.TempDir(), fmt.Sprintf("history-%d.html", h.seed))
	require.NoError(t, porcupine.VisualizePath(model(h.size), info, path))
	require.Fail(t, "no order explains what happened", "%s: %d events; see %s, or run the same operations again with -seed=%d -histories=100", result, len(all), path, h.seed)
}

// user is a goroutine that uses the pool.
type user struct {
	*history
	id     int
	random *rand.Rand
	leases int
	stale  []func()
}

func (u *user) run() {
	for range 40 {
		begun := time.Since(u.began)
		switch n := u.random.IntN(40); n {
		case 0:
			e := event{op: "reset", n: int(u.ids.Load())}
			u.reset()
			u.note(u.id, begun, e)
		case 1, 2:
			e := event{op: "resize", n: 1 + u.random.IntN(4)}
			e.how = u.outcome(u.resize(e.n))
			u.note(u.id, begun, e)
		case 3, 4:
			u.leases++
			e := event{op: "insert", conn: inserted + 40*u.id + u.leases}
			e.how = u.outcome(u.insert(e.conn))
			u.note(u.id, begun, e)
		case 5, 6:
			if len(u.stale) > 0 {
				u.stale[u.random.IntN(len(u.stale))]()
			}
		case 7, 8, 9:
			u.lease(u.try)
		case 10, 11:
			u.lease(u.excess)
		default:
			u.lease(u.acquire)
		}
	}
}

// lease acquires a connection, uses it, and ends that in one of many ways.
func (u *user) lease(acquire func(context.Context) (held, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(u.random.IntN(1000))*time.Microsecond)
	defer cancel()
	if u.random.IntN(4) > 0 {
		ctx = context.Background()
	}
	u.leases++
	begun := time.Since(u.began)
	l, err := acquire(ctx)
	e := event{op: "acquire", lease: 1000*u.id + u.leases, how: u.outcome(err)}
	if err == nil {
		e.conn, e.fresh = l.id, l.fresh
	}
	u.note(u.id, begun, e)
	if err != nil {
		return
	}
	if u.random.IntN(3) == 0 {
		time.Sleep(time.Duration(u.random.IntN(100)) * time.Microsecond)
	}
	end := func(goroutine int, op string) {
		begun := time.Since(u.began)
		how := "ok"
		switch op {
		case "release":
			l.release()
		case "discard":
			l.discard()
		case "detach":
			if !l.detach() {
				how = "nothing"
			}
		}
		u.note(goroutine, begun, event{op: op, lease: e.lease, how: how})
	}
	ops := []string{"release", "release", "release", "release", "discard", "detach"}
	some := func() string { return ops[u.random.IntN(len(ops))] }
	if u.random.IntN(8) == 0 { // two copies of the lease, at the same time
		var other sync.WaitGroup
		op := some()
		other.Go(func() { end(users+u.id, op) })
		end(u.id, some())
		other.Wait()
	} else {
		end(u.id, some())
	}
	u.stale = append(u.stale, func() { end(u.id, "release") })
}

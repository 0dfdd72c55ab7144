package faults

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/examples/internal/servers"
)

const (
	unhurried = 5 * time.Second  // for what is to succeed
	patient   = 20 * time.Second // for what a server does in its own time
)

// Pool is a generated pool as the tests use it.
type Pool interface {
	// Ask leases a connection, sends the id to the server and returns the id in the answer.
	Ask(ctx context.Context, id int64) (int64, error)
	Close(ctx context.Context) error
}

// Subject is what an example's test has to say of its pool and its server. All functions but Open talk to the server
// directly, over a connection that they close.
type Subject struct {
	Server string // its name in scripts/services
	// Open returns a pool of a few connections to a host and port. Its timeouts are less than 250 ms, as that is what the
	// pool may need to notice that one is lost.
	Open func(t testing.TB, addr string) Pool
	// Requesters are goroutines, more than the pool has connections, and Patience is how long each request may take.
	Requesters int
	Patience   time.Duration
	// Probe asks the server something: when it gets an answer, the server is back.
	Probe func(ctx context.Context, addr string) error
	// Cut has the server end one connection of the pool. If the server can't do that, it is nil, and the network does.
	Cut func(ctx context.Context, addr string) error
	// Connections counts those that the server has, without its own. The kernel is asked, too.
	Connections func(ctx context.Context, addr string) (int, error)
}

// Forks completes a subject whose server has a process for each connection.
func Forks(t testing.TB, s Subject) Subject {
	server := Find(t, s.Server)
	s.Cut = func(context.Context, string) error { return server.CutOne() }
	s.Connections = func(context.Context, string) (int, error) { return server.Processes() }
	return s
}

// Greeted is a probe of a server that greets who connects.
func Greeted(ctx context.Context, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// Test shows that the pool survives whatever befalls its server and the network between: all calls end by their
// deadlines, answers reach those who asked, there are answers again within 250 ms of the server's return, and in
// the end nothing is left open on the server.
func Test(t *testing.T, s Subject) {
	r := &run{Subject: s, server: Find(t, s.Server)}
	t.Run("ServerKilled", func(t *testing.T) {
		load := r.load(t, nil)
		r.kill(t)
		load.Failures(t, 2*s.Requesters)
		r.recovers(t, load, r.start(t))
	})
	t.Run("ServerFrozen", func(t *testing.T) {
		load := r.load(t, nil)
		r.freeze(t)
		load.Failures(t, 2*s.Requesters)
		r.recovers(t, load, r.thaw(t))
	})
	t.Run("ServerKilledWhileThePoolCloses", func(t *testing.T) { r.closing(t, r.kill, r.start) })
	t.Run("ServerFrozenWhileThePoolCloses", func(t *testing.T) { r.closing(t, r.freeze, r.thaw) })
	t.Run("ConnectionsCutOneByOne", r.testCuts)
	t.Run("AnswersDelayed", func(t *testing.T) {
		proxy := NewProxy(t, r.server.TCP)
		load := r.load(t, proxy)
		require.NoError(t, proxy.Delay(50*time.Millisecond))
		load.Answers(t, 2*s.Requesters)
		r.heals(t, load, proxy)
	})
	for name, fault := range map[string]func(*servers.Proxy) error{
		"ConnectionsReset":   (*servers.Proxy).Reset,
		"ConnectionsRefused": (*servers.Proxy).Refuse,
		"BlackHole":          (*servers.Proxy).BlackHole,
	} {
		t.Run(name, func(t *testing.T) {
			proxy := NewProxy(t, r.server.TCP)
			load := r.load(t, proxy)
			require.NoError(t, fault(proxy))
			load.Failures(t, 2*s.Requesters)
			r.heals(t, load, proxy)
		})
	}
}

// run is the test of a subject.
type run struct {
	Subject
	server *servers.Server
}

// testCuts ends connections under a load that goes on.
func (r *run) testCuts(t *testing.T) {
	proxy := NewProxy(t, r.server.TCP)
	load := r.load(t, proxy)
	for range 30 {
		if r.Cut != nil {
			require.NoError(t, r.Cut(t.Context(), r.server.TCP))
		} else {
			require.NoError(t, proxy.ResetSome())
			load.Answers(t, 2)
			_, err := proxy.Heal()
			require.NoError(t, err)
		}
		load.Answers(t, r.Requesters)
	}
}

// load puts a load on a new pool, whose connections may go through a proxy, and checks in the end what must hold whatever has happened.
func (r *run) load(t *testing.T, through *servers.Proxy) *Load {
	t.Helper()
	addr := r.server.TCP
	if through != nil {
		addr = through.Addr()
	}
	pool := r.Open(t, addr)
	load := Start(t, r.Requesters, r.Patience, pool.Ask)
	t.Cleanup(func() { // before those of Start and Open, and after those of the faults
		load.Stop(t)
		require.NoError(t, closeSoon(pool))
		r.nothingOpen(t, through)
	})
	load.Answers(t, 5*r.Requesters)
	return load
}

// closing closes a pool under load while its server is away, and until after its return.
func (r *run) closing(t *testing.T, harm func(testing.TB), mend func(testing.TB) time.Time) {
	pool := r.Open(t, r.server.TCP)
	load := Start(t, r.Requesters, r.Patience, pool.Ask)
	load.Answers(t, 5*r.Requesters)
	harm(t)
	closed := make(chan error, 1)
	go func() { closed <- closeSoon(pool) }()
	load.Failures(t, r.Requesters)
	mend(t)
	require.NoError(t, <-closed)
	load.Stop(t)
	_, err := pool.Ask(t.Context(), 1)
	require.ErrorContains(t, err, "closed")
	r.nothingOpen(t, nil)
}

func closeSoon(pool Pool) error {
	ctx, cancel := context.WithTimeout(context.Background(), unhurried)
	defer cancel()
	return pool.Close(ctx)
}

// nothingOpen waits until nothing is left of a pool: it has closed its ends of the connections and the server, which may take
// a moment to see that, has closed its own, says the kernel, and has none, as it says itself.
func (r *run) nothingOpen(t testing.TB, to *servers.Proxy) {
	t.Helper()
	addr := r.server.TCP
	if to != nil {
		addr = to.Addr()
	}
	none := func(ends func(string) ([]string, error), addr, message string) {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			open, err := ends(addr)
			require.NoError(c, err)
			require.Empty(c, open, message)
		}, patient, pause)
	}
	none(servers.ClientEnds, addr, "the pool has not closed these")
	if to != nil {
		to.Close() // it may have lost an end that it should have passed on
	}
	none(servers.ServerEnds, r.server.TCP, "the server has not closed these")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		ctx, cancel := context.WithTimeout(context.Background(), unhurried)
		defer cancel()
		open, err := r.Connections(ctx, r.server.TCP)
		require.NoError(c, err)
		require.Zero(c, open, "connections are still open on the server, as it says")
	}, patient, pause)
}

// heals ends what the proxy does, and waits for answers.
func (r *run) heals(t *testing.T, load *Load, proxy *servers.Proxy) {
	t.Helper()
	back, err := proxy.Heal()
	require.NoError(t, err)
	r.recovers(t, load, back)
}

// recovers waits for answers after the server's return.
func (r *run) recovers(t *testing.T, load *Load, back time.Time) {
	t.Helper()
	load.Recovers(t, back, r.probe)
}

func (r *run) probe(ctx context.Context) error { return r.Probe(ctx, r.server.TCP) }

// What befalls the server has an end with the test, whatever comes of that.

func (r *run) kill(t testing.TB) {
	t.Helper()
	t.Cleanup(func() { r.restore(t, r.start) })
	require.NoError(t, r.server.Kill())
}

func (r *run) freeze(t testing.TB) {
	t.Helper()
	t.Cleanup(func() { r.restore(t, r.thaw) })
	require.NoError(t, r.server.Freeze())
}

func (r *run) restore(t testing.TB, by func(testing.TB) time.Time) {
	t.Helper()
	by(t)
	require.NoError(t, r.server.Settle())
}

func (r *run) start(t testing.TB) time.Time { return r.mend(t, r.server.Start) }
func (r *run) thaw(t testing.TB) time.Time  { return r.mend(t, r.server.Thaw) }

func (r *run) mend(t testing.TB, by func(context.Context, func(context.Context) error) (time.Time, error)) time.Time {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	back, err := by(ctx, r.probe)
	require.NoError(t, err)
	return back
}

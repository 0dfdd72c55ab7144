package faults

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	goroutines = 32                     // that put a load on the pool, far more than it has connections
	patience   = 500 * time.Millisecond // of a requester
	unhurried  = 5 * time.Second        // for what is to succeed
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
	// Probe asks the server something.
	Probe func(ctx context.Context, addr string) error
	// Cut has the server end one connection of the pool.
	Cut func(ctx context.Context, addr string) error
	// Connections counts those that the server has, without its own.
	Connections func(ctx context.Context, addr string) (int, error)
}

// Test shows that the pool survives whatever befalls its server and the network between: all calls end by their
// deadlines, answers reach those who asked, there are answers again within 250 ms of the server's return, and in
// the end nothing is left open on the server.
func Test(t *testing.T, s Subject) {
	server := Find(t, s.Server)
	probe := func(ctx context.Context) error { return s.Probe(ctx, server.TCP) }

	t.Run("ServerKilled", func(t *testing.T) {
		load := s.load(t, server, server.TCP)
		server.Kill(t)
		load.Failures(t, goroutines)
		load.Recovers(t, server.Start(t, probe))
	})
	t.Run("ServerFrozen", func(t *testing.T) {
		load := s.load(t, server, server.TCP)
		server.Freeze(t)
		load.Failures(t, goroutines)
		load.Recovers(t, server.Thaw(t, probe))
	})
	t.Run("ConnectionsCutOneByOne", func(t *testing.T) {
		load := s.load(t, server, server.TCP)
		for range 30 {
			require.NoError(t, s.Cut(t.Context(), server.TCP))
			load.Answers(t, 20)
		}
	})
	t.Run("ServerKilledWhileThePoolCloses", func(t *testing.T) {
		s.closing(t, server, server.Kill, func(t testing.TB) { server.Start(t, probe) })
	})
	t.Run("ServerFrozenWhileThePoolCloses", func(t *testing.T) {
		s.closing(t, server, server.Freeze, func(t testing.TB) { server.Thaw(t, probe) })
	})
	s.testNetwork(t, server)
}

// testNetwork has the faults of the network between pool and server.
func (s Subject) testNetwork(t *testing.T, server *Server) {
	t.Run("AnswersDelayed", func(t *testing.T) {
		proxy := NewProxy(t, server.TCP)
		load := s.load(t, server, proxy.Addr())
		proxy.Delay(t, 50*time.Millisecond)
		load.Answers(t, 50)
		load.Recovers(t, proxy.Heal(t))
	})
	for name, fault := range map[string]func(*Proxy, testing.TB){
		"ConnectionsReset":   (*Proxy).Reset,
		"ConnectionsRefused": (*Proxy).Refuse,
		"BlackHole":          (*Proxy).BlackHole,
	} {
		t.Run(name, func(t *testing.T) {
			proxy := NewProxy(t, server.TCP)
			load := s.load(t, server, proxy.Addr())
			fault(proxy, t)
			load.Failures(t, goroutines)
			load.Recovers(t, proxy.Heal(t))
		})
	}
}

// load puts a load on a new pool, and checks in the end what must hold whatever has happened.
func (s Subject) load(t *testing.T, server *Server, addr string) *Load {
	t.Helper()
	pool := s.Open(t, addr)
	load := Start(t, goroutines, patience, pool.Ask)
	t.Cleanup(func() { // before those of Start and Open, and after those of the faults
		load.Stop(t)
		ctx, cancel := context.WithTimeout(context.Background(), unhurried)
		defer cancel()
		require.NoError(t, pool.Close(ctx))
		s.nothingOpen(t, server)
	})
	load.Answers(t, 200)
	return load
}

// closing closes a pool under load while its server is away, and until after its return.
func (s Subject) closing(t *testing.T, server *Server, harm, mend func(testing.TB)) {
	t.Helper()
	pool := s.Open(t, server.TCP)
	load := Start(t, goroutines, patience, pool.Ask)
	load.Answers(t, 200)
	harm(t)
	closed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), unhurried)
		defer cancel()
		closed <- pool.Close(ctx)
	}()
	load.Failures(t, goroutines)
	mend(t)
	require.NoError(t, <-closed)
	load.Stop(t)
	_, err := pool.Ask(t.Context(), 1)
	require.ErrorContains(t, err, "closed")
	s.nothingOpen(t, server)
}

// nothingOpen waits until the server, which may take a moment to see that a connection has been closed, has none.
func (s Subject) nothingOpen(t testing.TB, server *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), unhurried)
	defer cancel()
	var open int
	var err error
	for ctx.Err() == nil {
		if open, err = s.Connections(ctx, server.TCP); open == 0 && err == nil {
			return
		}
		time.Sleep(pause)
	}
	require.NoError(t, err)
	require.Zero(t, open, "connections are still open on the server")
}

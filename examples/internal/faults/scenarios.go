package faults

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// leisure is how long a request may take to a server that begins a process for each connection, or writes each answer to
// the disk.
const leisure = time.Second

// Survive puts a load on a pool and does to its server, and to the network between, what may happen to both. It opens a pool
// for the server at the address, a host and port. The server must be one that greets who connects: with the greeting it is
// back, and what a protocol does after that counts as the pool's time.
func Survive(t *testing.T, name string, open func(t testing.TB, addr string) Pool) {
	server := Find(t, name)
	scenario := func(name string, addr func(testing.TB) string, play func(*testing.T, *Load)) {
		t.Run(name, func(t *testing.T) {
			pool := open(t, addr(t))
			t.Cleanup(func() { _ = closeSoon(pool) }) // if the test fails, the next one shall not see its connections
			l := Start(t, 8, leisure, pool.Ask)
			l.Answers(t, 20)
			play(t, l)
			l.Stop(t)
			server.CloseLeavesNothing(t, pool)
		})
	}
	direct := func(testing.TB) string { return server.TCP }
	scenario("killed", direct, func(t *testing.T, l *Load) {
		server.Kill(t)
		l.Failures(t, 16)
		l.Recovers(t, server.Start(t, server.greets))
	})
	scenario("frozen", direct, func(t *testing.T, l *Load) {
		server.Freeze(t)
		l.Failures(t, 16)
		l.Recovers(t, server.Thaw(t, server.greets))
	})

	var proxy *Proxy
	proxied := func(t testing.TB) string {
		proxy = NewProxy(t, server.TCP)
		return proxy.Addr()
	}
	scenario("refused", proxied, func(t *testing.T, l *Load) {
		proxy.Refuse(t)
		l.Failures(t, 16)
		l.Recovers(t, proxy.Heal(t))
	})
	scenario("reset", proxied, func(t *testing.T, l *Load) {
		proxy.Reset(t)
		l.Failures(t, 16)
		l.Recovers(t, proxy.Heal(t))
	})
	scenario("black hole", proxied, func(t *testing.T, l *Load) {
		proxy.BlackHole(t)
		l.Failures(t, 16)
		l.Recovers(t, proxy.Heal(t))
	})
	scenario("latency", proxied, func(t *testing.T, l *Load) {
		proxy.Delay(t, 20*time.Millisecond)
		l.Answers(t, 20)
		proxy.Heal(t)
	})

	t.Run("restarted while closing", func(t *testing.T) {
		pool := open(t, server.TCP)
		l := Start(t, 8, leisure, pool.Ask)
		l.Answers(t, 20)
		server.Kill(t)
		closed := make(chan error, 1)
		go func() { closed <- closeSoon(pool) }()
		server.Start(t, server.greets)
		require.NoError(t, <-closed)
		l.Stop(t)
		server.CloseLeavesNothing(t, pool)
	})
}

// CloseLeavesNothing closes a pool and asks the kernel what connections the server still has.
func (s *Server) CloseLeavesNothing(t testing.TB, pool Pool) {
	t.Helper()
	require.NoError(t, closeSoon(pool))
	var left []string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if left = s.connections(t); len(left) == 0 {
			return
		}
	}
	require.Empty(t, left, "connections are left open at the server")
}

// greets connects, and waits for the server's first word.
func (s *Server) greets(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.TCP)
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

func closeSoon(pool Pool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return pool.Close(ctx)
}

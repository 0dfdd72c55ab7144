package peers

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/bench/trivial"
)

// pools calls f with an empty pool of each kind that leases connections, and with their number.
func pools(t *testing.T, f func(t *testing.T, pool Pool, server *trivial.Server, size int)) {
	for _, peer := range All {
		if peer.Needs != "" || peer.Kind == Floor || peer.Name == "sync.Pool" || peer.Only != nil && peer.Only[0] == "S1c" && peer.Kind == Sketch {
			continue
		}
		t.Run(peer.Name, func(t *testing.T) {
			server, size := new(trivial.Server), max(2, peer.Fixed)
			pool, err := peer.New(Config{Size: size, Server: server})
			require.NoError(t, err)
			f(t, pool, server, size)
			pool.Close()
		})
	}
}

func TestAPeerLeasesEachConnectionOnceAtATime(t *testing.T) {
	pools(t, func(t *testing.T, pool Pool, server *trivial.Server, size int) {
		var held sync.Map
		var running sync.WaitGroup
		for range 4 * size {
			running.Go(func() {
				for range 10 {
					if err := pool.Use(t.Context(), func(conn *trivial.Conn) error {
						if _, twice := held.LoadOrStore(conn.ID, true); twice {
							t.Error("leased twice")
						}
						time.Sleep(time.Microsecond)
						held.Delete(conn.ID)
						return nil
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		running.Wait()
		require.LessOrEqual(t, server.Dials(), size)
		require.NoError(t, pool.Loop(t.Context(), 10))
	})
}

func TestAPeerDoesNotLeaseAgainWhatWasOfNoUse(t *testing.T) {
	pools(t, func(t *testing.T, pool Pool, server *trivial.Server, size int) {
		bad := -1
		server.Kill() // connections so far, which are none
		require.Error(t, pool.Use(t.Context(), func(conn *trivial.Conn) error {
			bad = conn.ID
			server.Kill()
			return errors.New("of no use")
		}))
		var hold func(n int) error // n at the same time
		hold = func(n int) error {
			return pool.Use(t.Context(), func(conn *trivial.Conn) error {
				require.NotEqual(t, bad, conn.ID)
				if n == 1 {
					return nil
				}
				return hold(n - 1)
			})
		}
		for range 3 { // clients that look for themselves find out now
			if hold(size) == nil {
				return
			}
		}
		require.Fail(t, "not all connections")
	})
}

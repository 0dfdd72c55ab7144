package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/examples/internal/faults"
)

func TestThePoolSurvivesItsServer(t *testing.T) {
	faults.Test(t, faults.Subject{
		Server: "redis", Requesters: 32, Patience: 500 * time.Millisecond,
		Open: open,
		Probe: func(ctx context.Context, addr string) error {
			_, err := direct(ctx, addr, "PING")
			return err
		},
		Cut: func(ctx context.Context, addr string) error {
			list, err := clients(ctx, addr)
			if err != nil {
				return err
			}
			_, err = direct(ctx, addr, "CLIENT", "KILL", "ID", list[len(list)/2])
			return err
		},
		Connections: func(ctx context.Context, addr string) (int, error) {
			list, err := clients(ctx, addr)
			return len(list), err
		},
	})
}

func TestALateAnswerIsNotTheNextOnes(t *testing.T) {
	proxy := faults.NewProxy(t, faults.Find(t, "redis").TCP)
	p, err := NewConnPool(&Config{Addr: proxy.Addr(), CheckAfter: time.Hour}, ConnPoolOptions{MaxSize: 1})
	require.NoError(t, err)
	defer p.Close(t.Context())
	conn, err := p.Acquire(t.Context())
	require.NoError(t, err)
	require.NoError(t, proxy.Delay(100*time.Millisecond))
	late, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = conn.Do(late, "ECHO", "1")
	conn.Release()        // by mistake
	var timeout net.Error // that of the context or of the connection, whichever was first
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())

	got, err := pool{p}.Ask(t.Context(), 2)
	require.NoError(t, err)
	require.EqualValues(t, 2, got)
}

// pool echoes.
type pool struct{ *ConnPool }

func open(t testing.TB, addr string) faults.Pool {
	p, err := NewConnPool(&Config{Addr: addr, CheckAfter: 100 * time.Millisecond},
		ConnPoolOptions{MaxSize: 8, CreateTimeout: 100 * time.Millisecond, HealthCheckTimeout: 100 * time.Millisecond})
	require.NoError(t, err)
	return pool{p}
}

func (p pool) Ask(ctx context.Context, id int64) (int64, error) {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	answer, err := conn.Do(ctx, "ECHO", strconv.FormatInt(id, 10))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(fmt.Sprint(answer), 10, 64)
}

// direct sends a command over a connection of its own.
func direct(ctx context.Context, addr string, args ...string) (any, error) {
	c, err := DialConn(ctx, &Config{Addr: addr})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Do(ctx, args...)
}

// clients returns the ids of the server's clients, without the one that asks.
func clients(ctx context.Context, addr string) ([]string, error) {
	list, err := direct(ctx, addr, "CLIENT", "LIST")
	if err != nil {
		return nil, err
	}
	var ids []string
	for line := range strings.Lines(fmt.Sprint(list)) {
		if id, rest, _ := strings.Cut(strings.TrimPrefix(line, "id="), " "); !strings.Contains(rest, "cmd=client") {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

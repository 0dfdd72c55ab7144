package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryRequestIsAnsweredAlthoughTheServerCutsConnections(t *testing.T) {
	s := settings{duration: 300 * time.Millisecond, goroutines: 64, size: 8, cut: 10 * time.Millisecond}
	r, err := play(context.Background(), s, &liveLine{})
	require.NoError(t, err)
	require.Empty(t, r.problems())
	require.NoError(t, r.load.firstFailure)
	require.Zero(t, r.load.failed.Load())
	require.Zero(t, r.load.wrong.Load())
	require.NotZero(t, r.load.reconnects.Load())
	require.Len(t, r.latencies, int(r.load.requests.Load()))
}

func TestSumsThatDoNotAddUpAreNamed(t *testing.T) {
	wrong := sum{"requests", 3, []part{{"answered", 1}, {"failed", 1}}}
	require.EqualError(t, wrong.check(), "this does not add up: 3 requests = 1 answered + 1 failed")
	negative := sum{"cut", 1, []part{{"noticed", 2}, {"unnoticed", -1}}}
	require.Error(t, negative.check())
}

func TestAFailedConnectionThatIsReleasedIsNotLeasedAgain(t *testing.T) {
	srv, err := listen()
	require.NoError(t, err)
	defer srv.close()
	pool, err := NewLineConnPool(&Config{Addr: srv.addr(), CheckAfter: time.Hour}, LineConnPoolOptions{MaxSize: 1})
	require.NoError(t, err)
	defer pool.Close(t.Context())

	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	failed := conn.Conn()
	late, cancel := context.WithTimeout(t.Context(), time.Microsecond)
	defer cancel()
	_, err = conn.Do(late, "ECHO 1")
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	conn.Release() // by mistake

	conn, err = pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	require.NotSame(t, failed, conn.Conn())
	answer, err := conn.Do(t.Context(), "ECHO 2")
	require.NoError(t, err)
	require.Equal(t, "2", answer)
}

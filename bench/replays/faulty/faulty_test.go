package faulty

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// takes asserts what a call returns, and after which time.
func takes(t *testing.T, d time.Duration, want error, f func() error) {
	t.Helper()
	begun := time.Now()
	require.ErrorIs(t, f(), want)
	require.Equal(t, d, time.Since(begun))
}

func virtual(t *testing.T, settings Settings, f func(s *Server, conn *Conn, dial, query func() error)) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(settings)
		conn, err := s.Dial(t.Context())
		require.NoError(t, err)
		f(s, conn,
			func() error { _, err := s.Dial(t.Context()); return err },
			func() error { return conn.Query(t.Context()) })
	})
}

func TestAServerIsDownInTheWayItIsTold(t *testing.T) {
	for way, want := range map[Way]struct {
		dialTime, queryTime time.Duration
		dial, query, later  error
	}{
		Up:       {5 * time.Millisecond, 0, nil, nil, nil},
		Deaf:     {DialTimeout, SocketTimeout, ErrTimeout, ErrTimeout, nil},
		Refused:  {RefusalTime, 0, ErrRefused, ErrReset, ErrReset},
		HalfOpen: {5 * time.Millisecond, SocketTimeout, nil, ErrTimeout, ErrTimeout},
	} {
		virtual(t, Settings{DialTime: 5 * time.Millisecond}, func(s *Server, _ *Conn, dial, query func() error) {
			s.Down(way)
			takes(t, want.dialTime, want.dial, dial)
			takes(t, want.queryTime, want.query, query)
			s.Up()
			require.ErrorIs(t, query(), want.later, "once it is up again")
			require.NoError(t, dial())
		})
	}
}

func TestDialsOfAStuckServerEndWithIt(t *testing.T) {
	virtual(t, Settings{}, func(s *Server, _ *Conn, dial, _ func() error) {
		s.Down(Stuck)
		time.AfterFunc(time.Hour, s.Stop)
		takes(t, time.Hour, ErrStopped, dial)
	})
}

func TestAMiddleboxForgetsWhatIsIdle(t *testing.T) {
	virtual(t, Settings{DropIdle: time.Minute}, func(_ *Server, _ *Conn, _, query func() error) {
		time.Sleep(time.Minute)
		require.NoError(t, query())
		time.Sleep(time.Minute + 1)
		takes(t, SocketTimeout, ErrTimeout, query)
		require.ErrorIs(t, query(), ErrTimeout, "for ever")
	})
}

func TestAServerWorksOnAsManyQueriesAsItHasWorkers(t *testing.T) {
	virtual(t, Settings{Workers: 2, QueryTime: time.Millisecond}, func(_ *Server, _ *Conn, _, query func() error) {
		done := make(chan error)
		begun := time.Now()
		for range 4 {
			go func() { done <- query() }()
		}
		for range 4 {
			require.NoError(t, <-done)
		}
		require.Equal(t, 2*time.Millisecond, time.Since(begun))
	})
}

func TestANetConnIsAnsweredLikeAnyOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(Settings{})
		conn, err := s.DialNet(t.Context(), func(_ int, request []byte) []byte { return request })
		require.NoError(t, err)
		ask := func() error {
			require.NoError(t, conn.SetDeadline(time.Now().Add(time.Second)))
			if _, err := conn.Write([]byte("hello")); err != nil {
				return err
			}
			_, err := conn.Read(make([]byte, 5))
			return err
		}
		require.NoError(t, ask())
		s.Down(HalfOpen)
		require.Error(t, ask())
		s.Down(Refused)
		require.ErrorIs(t, ask(), io.EOF)
		require.Equal(t, 1, s.Open())
		require.NoError(t, conn.Close())
		require.Zero(t, s.Open())
	})
}

func TestAHookPanicsWhenTold(t *testing.T) {
	virtual(t, Settings{}, func(s *Server, conn *Conn, dial, _ func() error) {
		require.Zero(t, s.PanicIn("create"))
		require.Panics(t, func() { _ = dial() })
		require.NoError(t, conn.Close())
		require.Equal(t, 1, s.PanicIn("close"))
		require.Panics(t, func() { _ = conn.Close() })
		require.Equal(t, 2, s.PanicIn(""))
		require.NoError(t, dial())
	})
}

package histories

import (
	"context"
	"errors"
	"time"

	"github.com/stretchr/testify/require"
)

// subject is a pool under test, whatever its connections are.
type subject struct {
	acquire, try, excess func(context.Context) (held, error)
	insert               func(id int) error
	reset                func()
	resize               func(n int) error
	close                func(context.Context) error
	closed, exhausted    error
}

// held is a lease.
type held struct {
	*connection
	fresh            bool
	release, discard func()
	detach           func() bool
}

type pool[C any, L lease[C]] interface {
	Acquire(context.Context) (L, error)
	TryAcquire(context.Context) (L, error)
	AcquireOrCreate(context.Context) (L, error)
	Insert(C) error
	Reset()
	Resize(int) error
	Close(context.Context) error
}

type lease[C any] interface {
	Release()
	Discard()
	Detach() C
	Conn() C
	Fresh() bool
}

func fullSubject(t require.TestingT, s *Server, size int) (*FullPool, *subject) {
	p, err := NewFullPool(s, FullPoolOptions{MaxSize: size})
	require.NoError(t, err)
	return p, newSubject(p, s, ErrFullPoolClosed, ErrFullPoolExhausted,
		func(c *Full) *connection { return &c.connection }, func(c *Full) bool { return c != nil }, func() *Full { return new(Full) })
}

func leanSubject(t require.TestingT, s *Server, size int) *subject {
	p, err := NewLeanPool(s, LeanPoolOptions{MaxSize: size})
	require.NoError(t, err)
	return newSubject(p, s, ErrLeanPoolClosed, ErrLeanPoolExhausted,
		func(c *Lean) *connection { return &c.connection }, func(c *Lean) bool { return c != nil }, func() *Lean { return new(Lean) })
}

func bargingSubject(t require.TestingT, s *Server, size int) *subject {
	p, err := NewBargingPool(s, BargingPoolOptions{MaxSize: size, Barging: time.Second})
	require.NoError(t, err)
	p.prompt.Store(1024) // else nobody may barge before many waiters have been prompt
	return newSubject(p, s, ErrBargingPoolClosed, ErrBargingPoolExhausted,
		func(c *Barging) *connection { return &c.connection }, func(c *Barging) bool { return c != nil }, func() *Barging { return new(Barging) })
}

func newSubject[C any, L lease[C]](p pool[C, L], s *Server, closed, exhausted error, of func(C) *connection, is func(C) bool, empty func() C) *subject {
	by := func(acquire func(context.Context) (L, error)) func(context.Context) (held, error) {
		return func(ctx context.Context) (held, error) {
			l, err := acquire(ctx)
			if err != nil {
				return held{}, err
			}
			return held{of(l.Conn()), l.Fresh(), l.Release, l.Discard, func() bool { return is(l.Detach()) }}, nil
		}
	}
	return &subject{
		acquire: by(p.Acquire), try: by(p.TryAcquire), excess: by(p.AcquireOrCreate),
		insert: func(id int) error {
			c := empty()
			of(c).id = id
			s.register(of(c))
			return p.Insert(c)
		},
		reset: p.Reset, resize: p.Resize, close: p.Close, closed: closed, exhausted: exhausted,
	}
}

// outcome says in a word how an operation ended.
func (p *subject) outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, p.closed):
		return "closed"
	case errors.Is(err, p.exhausted):
		return "exhausted"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "canceled"
	}
	return "failed"
}

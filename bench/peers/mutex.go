package peers

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/poolgen/poolgen/bench/trivial"
)

// mutex is a stack of idle connections and a queue of waiters under one lock.
type mutex struct {
	server *trivial.Server
	best   bool // skips waiters whose context is done, and yields after handing over

	mu      sync.Mutex
	vacant  int
	idle    []*trivial.Conn
	waiters []*waiter // in the order of arrival
	spare   []*waiter
}

type waiter struct {
	ctx  context.Context
	conn chan *trivial.Conn // nil is the right to dial
}

func newMutex(config Config) (Pool, error) {
	return &mutex{server: config.Server, vacant: config.Size}, nil
}

func newBestMutex(config Config) (Pool, error) {
	return &mutex{server: config.Server, vacant: config.Size, best: true}, nil
}

func (p *mutex) acquire(ctx context.Context) (*trivial.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		conn := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return conn, nil
	}
	if p.vacant > 0 {
		p.vacant--
		p.mu.Unlock()
		return p.dial(ctx)
	}
	return p.wait(ctx)
}

// wait waits in the queue; mu is locked.
func (p *mutex) wait(ctx context.Context) (*trivial.Conn, error) {
	var w *waiter
	if n := len(p.spare); n > 0 {
		w = p.spare[n-1]
		p.spare = p.spare[:n-1]
	} else {
		w = &waiter{conn: make(chan *trivial.Conn, 1)}
	}
	w.ctx = ctx
	p.waiters = append(p.waiters, w)
	p.mu.Unlock()
	select {
	case conn := <-w.conn:
		p.mu.Lock()
		p.spare = append(p.spare, w)
		p.mu.Unlock()
		if conn == nil {
			return p.dial(ctx)
		}
		return conn, nil
	case <-ctx.Done():
		p.mu.Lock()
		if i := slices.Index(p.waiters, w); i >= 0 {
			p.waiters = slices.Delete(p.waiters, i, i+1)
		}
		p.mu.Unlock()
		select {
		case conn := <-w.conn:
			p.release(conn)
		default:
		}
		return nil, ctx.Err()
	}
}

func (p *mutex) dial(ctx context.Context) (*trivial.Conn, error) {
	conn, err := p.server.Dial(ctx)
	if err != nil {
		p.release(nil)
	}
	return conn, err
}

// release gives back a connection or, if nil, the right to dial.
func (p *mutex) release(conn *trivial.Conn) {
	p.mu.Lock()
	for len(p.waiters) > 0 {
		w := p.waiters[0]
		p.waiters = slices.Delete(p.waiters, 0, 1)
		if p.best && w.ctx.Err() != nil {
			continue
		}
		w.conn <- conn
		p.mu.Unlock()
		if p.best {
			runtime.Gosched()
		}
		return
	}
	if conn == nil {
		p.vacant++
	} else {
		p.idle = append(p.idle, conn)
	}
	p.mu.Unlock()
}

func (p *mutex) Loop(ctx context.Context, n int) error {
	for range n {
		conn, err := p.acquire(ctx)
		if err != nil {
			return err
		}
		p.release(conn)
	}
	return nil
}

func (p *mutex) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	if err = hold(conn); err != nil {
		conn = nil
	}
	p.release(conn)
	return err
}

func (p *mutex) Close() {}

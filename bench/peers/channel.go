package peers

import (
	"context"

	"github.com/poolgen/poolgen/bench/trivial"
)

// channel is a buffered channel of connections, in which nil is the right to dial.
type channel struct {
	conns  chan *trivial.Conn
	server *trivial.Server
}

func newChannel(config Config) (Pool, error) {
	p := channel{make(chan *trivial.Conn, config.Size), config.Server}
	for range config.Size {
		p.conns <- nil
	}
	return p, nil
}

func (p channel) acquire(ctx context.Context) (*trivial.Conn, error) {
	select {
	case conn := <-p.conns:
		if conn != nil {
			return conn, nil
		}
		return p.dial(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p channel) dial(ctx context.Context) (*trivial.Conn, error) {
	conn, err := p.server.Dial(ctx)
	if err != nil {
		p.conns <- nil
	}
	return conn, err
}

func (p channel) Loop(ctx context.Context, n int) error {
	for range n {
		conn, err := p.acquire(ctx)
		if err != nil {
			return err
		}
		p.conns <- conn
	}
	return nil
}

func (p channel) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	return p.held(conn, hold)
}

func (p channel) held(conn *trivial.Conn, hold func(*trivial.Conn) error) error {
	err := hold(conn)
	if err != nil {
		conn = nil
	}
	p.conns <- conn
	return err
}

func (p channel) Close() {}

// tryChannel looks for an idle connection before it waits.
type tryChannel struct{ channel }

func newTryChannel(config Config) (Pool, error) {
	p, err := newChannel(config)
	return tryChannel{p.(channel)}, err
}

func (p tryChannel) acquire(ctx context.Context) (*trivial.Conn, error) {
	select {
	case conn := <-p.conns:
		if conn != nil {
			return conn, nil
		}
		return p.dial(ctx)
	default:
		return p.channel.acquire(ctx)
	}
}

func (p tryChannel) Loop(ctx context.Context, n int) error {
	for range n {
		conn, err := p.acquire(ctx)
		if err != nil {
			return err
		}
		p.conns <- conn
	}
	return nil
}

func (p tryChannel) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	return p.held(conn, hold)
}

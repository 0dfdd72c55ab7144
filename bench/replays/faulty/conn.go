package faulty

import (
	"context"
	"net"
	"time"
)

// Conn is a connection.
type Conn struct {
	server *Server
	id     int

	// guarded by the server's mu
	lost   bool // no query is answered any more
	reset  bool
	used   time.Time
	closed time.Time // zero while it is open
}

// ID tells connections apart.
func (c *Conn) ID() int { return c.id }

// Server returns the server.
func (c *Conn) Server() *Server { return c.server }

// Query asks the server something. It ends when the server answers, or with ctx or SocketTimeout.
func (c *Conn) Query(ctx context.Context) error {
	silent, err := c.look()
	if err != nil {
		return err
	}
	if silent {
		return c.server.silence(ctx, SocketTimeout)
	}
	c.work()
	return ctx.Err()
}

// Break has the server reset the connection.
func (c *Conn) Break() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.reset = true
}

// Close ends the connection.
func (c *Conn) Close() error {
	c.server.Hook("close")
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.closed.IsZero() {
		c.closed = time.Now()
	}
	return nil
}

// Closed returns when the connection was closed; zero while it is open.
func (c *Conn) Closed() time.Time {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return c.closed
}

// look finds out what becomes of a query.
func (c *Conn) look() (silent bool, err error) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	c.lost = c.lost || s.settings.DropIdle > 0 && time.Since(c.used) > s.settings.DropIdle
	c.used = time.Now()
	switch {
	case !c.closed.IsZero():
		return false, ErrClosed
	case c.reset:
		return false, ErrReset
	}
	return c.lost || s.way == Deaf || s.way == Stuck, nil
}

// work answers a query.
func (c *Conn) work() {
	s := c.server
	s.mu.Lock()
	if s.settings.Workers > 0 && s.workers == nil {
		s.workers = make(chan struct{}, s.settings.Workers)
	}
	workers := s.workers
	s.mu.Unlock()
	if workers != nil {
		workers <- struct{}{}
		defer func() { <-workers }()
	}
	if s.settings.QueryTime > 0 {
		time.Sleep(s.settings.QueryTime)
	}
}

// DialNet makes a connection for clients that want a net.Conn. Each of its requests is a single Write, and gets the
// answer of answer; if that is none, the server hangs up.
func (s *Server) DialNet(ctx context.Context, answer func(id int, request []byte) []byte) (net.Conn, error) {
	conn, err := s.Dial(ctx)
	if err != nil {
		return nil, err
	}
	mine, theirs := net.Pipe()
	go conn.serve(mine, answer)
	return &NetConn{theirs, conn}, nil
}

// NetConn is the client's end.
type NetConn struct {
	net.Conn
	Faulty *Conn
}

// Close ends the connection.
func (c *NetConn) Close() error {
	_ = c.Conn.Close()
	return c.Faulty.Close()
}

func (c *Conn) serve(end net.Conn, answer func(int, []byte) []byte) {
	defer end.Close()
	request := make([]byte, 4<<10)
	for {
		n, err := end.Read(request)
		if err != nil {
			return
		}
		silent, err := c.look()
		if err != nil {
			return
		}
		if silent {
			continue
		}
		c.work()
		reply := answer(c.id, request[:n])
		if len(reply) == 0 {
			return
		}
		if _, err := end.Write(reply); err != nil {
			return
		}
	}
}

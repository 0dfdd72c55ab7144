// Package trivial is the server that all pools under measurement connect to: it does nothing, in this process, and
// its connections do nothing, so that nothing but the pool is measured. It can be slow to connect to, and it can
// lose all its connections at once.
package trivial

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Server makes connections. Its fields are set before it is used.
type Server struct {
	DialTime time.Duration // how long a dial takes
	DeadTime time.Duration // how long it takes to find out that a connection is dead

	dials atomic.Int64
	epoch atomic.Int64 // connections of an earlier one are dead
	mu    sync.Mutex
	conns []*Conn // by id
}

// ErrDead is the error of a dead connection.
var ErrDead = errors.New("trivial: the connection is dead")

// Conn is a connection. It is one word and a few, so that what a pool needs for it is easy to see beside it.
type Conn struct {
	ID     int
	server *Server
	epoch  int64
}

// Dial makes a connection, or fails when ctx ends first.
func (s *Server) Dial(ctx context.Context) (*Conn, error) {
	s.dials.Add(1)
	if s.DialTime > 0 {
		timer := time.NewTimer(s.DialTime)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	conn := &Conn{ID: len(s.conns), server: s, epoch: s.epoch.Load()}
	s.conns = append(s.conns, conn)
	return conn, nil
}

// Dials returns how many connections have been begun so far.
func (s *Server) Dials() int { return int(s.dials.Load()) }

// Conn returns a connection by its id: for clients whose pools don't give their connections away.
func (s *Server) Conn(id int) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[id]
}

// Kill makes all connections dead.
func (s *Server) Kill() { s.epoch.Add(1) }

// Dead reports whether the connection is dead, at once: what no client can know.
func (c *Conn) Dead() bool { return c.epoch != c.server.epoch.Load() }

// Try uses the connection. If it is dead, that takes its time to be found out.
func (c *Conn) Try() error {
	if !c.Dead() {
		return nil
	}
	time.Sleep(c.server.DeadTime)
	return ErrDead
}

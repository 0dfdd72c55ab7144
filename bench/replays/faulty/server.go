// Package faulty is a server that fails as it is told: what the pools connect to in the replays. It is in this process
// and knows no time but that of package time, so that a replay of minutes takes none in a bubble of testing/synctest.
package faulty

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Way is a way to be down.
type Way int

// The ways.
const (
	Up       Way = iota
	Deaf         // nothing is answered: no query, and no dial until its context or DialTimeout ends it
	Stuck        // Deaf, but dials don't look at their context either: they never return
	Refused      // connections are reset, and dials are refused, after RefusalTime
	HalfOpen     // the connections that there are never get an answer again; new ones do
)

const (
	// SocketTimeout is how long a client waits for an answer: how long it takes to find out that a connection is dead.
	SocketTimeout = time.Second
	// DialTimeout is how long a client waits for a dial.
	DialTimeout = 10 * time.Second
	// RefusalTime is how long it takes to be refused.
	RefusalTime = time.Millisecond
)

// The errors.
var (
	ErrRefused = errors.New("faulty: connection refused")
	ErrReset   = errors.New("faulty: connection reset")
	ErrTimeout = errors.New("faulty: no answer in time")
	ErrClosed  = errors.New("faulty: connection closed")
	ErrStopped = errors.New("faulty: server stopped")
)

// Settings are what a server is like while it is up.
type Settings struct {
	DialTime  time.Duration // how long a dial takes
	QueryTime time.Duration // how long a query takes, once one of the workers has begun with it
	Workers   int           // how many queries it works on at a time; 0 for any number
	DropIdle  time.Duration // a middlebox forgets connections that have been idle for longer; 0 for never
}

// Server makes connections.
type Server struct {
	settings Settings
	stopped  chan struct{}

	mu       sync.Mutex
	way      Way
	dialTime time.Duration // what it is now
	panics   string        // the hook that panics
	panicked int           // how often it has
	workers  chan struct{}
	dials    int
	dialing  int
	most     int
	conns    []*Conn // by id
}

// NewServer makes a server that is up.
func NewServer(settings Settings) *Server {
	return &Server{settings: settings, dialTime: settings.DialTime, stopped: make(chan struct{})}
}

// Stop has everything end that waits for the server.
func (s *Server) Stop() { close(s.stopped) }

// Down has the server be down from now on.
func (s *Server) Down(way Way) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.way = way
	for _, conn := range s.conns {
		conn.lost = conn.lost || way == HalfOpen
		conn.reset = conn.reset || way == Refused
	}
}

// Up has the server be up again.
func (s *Server) Up() { s.Down(Up) }

// SlowDown changes DialTime for the dials from now on.
func (s *Server) SlowDown(dialTime time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialTime = dialTime
}

// PanicIn has a hook panic from now on, or none if the name is "". It returns how often one has panicked so far.
func (s *Server) PanicIn(hook string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panics = hook
	return s.panicked
}

// Hook is called by what pools call.
func (s *Server) Hook(name string) {
	s.mu.Lock()
	panics := s.panics == name
	if panics {
		s.panicked++
	}
	s.mu.Unlock()
	if panics {
		panic("faulty: " + name + " panics")
	}
}

// Dial makes a connection.
func (s *Server) Dial(ctx context.Context) (*Conn, error) {
	way, took := s.begin()
	defer s.end()
	s.Hook("create")
	switch way {
	case Stuck:
		<-s.stopped
		return nil, ErrStopped
	case Deaf:
		return nil, s.silence(ctx, DialTimeout)
	case Refused:
		time.Sleep(RefusalTime)
		return nil, ErrRefused
	}
	if err := s.pause(ctx, took); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	conn := &Conn{server: s, id: len(s.conns), used: time.Now()}
	s.conns = append(s.conns, conn)
	return conn, nil
}

func (s *Server) begin() (Way, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	s.dialing++
	s.most = max(s.most, s.dialing)
	return s.way, s.dialTime
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialing--
}

// pause takes its time, unless something ends it before.
func (s *Server) pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		return ErrStopped
	}
}

// silence is what a client hears that is not answered.
func (s *Server) silence(ctx context.Context, timeout time.Duration) error {
	if err := s.pause(ctx, timeout); err != nil {
		return err
	}
	return ErrTimeout
}

// Forget has Dials begin anew.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials, s.most = 0, 0
}

// Dials returns how many dials have begun so far, and the most that there were at a time.
func (s *Server) Dials() (all, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials, s.most
}

// Conn returns a connection by its id: for clients whose pools don't give their connections away.
func (s *Server) Conn(id int) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[id]
}

// Open returns how many connections are open.
func (s *Server) Open() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		if conn.closed.IsZero() {
			n++
		}
	}
	return n
}

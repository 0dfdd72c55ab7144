package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// workTime is how long the server takes for an ECHO, as a query would.
const workTime = time.Millisecond

// server answers PING with PONG and ECHO <id> with <id>, one line after another on each connection.
type server struct {
	listener net.Listener
	running  sync.WaitGroup // goroutines of the server

	mu     sync.Mutex // guards what follows
	open   map[net.Conn]struct{}
	counts serverStats
}

// serverStats is what the server has seen: accepted = cut + closed by the client + open.
type serverStats struct {
	accepted, cut, closed, open, pings uint64
}

// listen starts a server on a free port.
func listen() (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{listener: listener, open: make(map[net.Conn]struct{})}
	s.running.Go(s.accept)
	return s, nil
}

func (s *server) addr() string { return s.listener.Addr().String() }

// accept serves connections until the listener is closed.
func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.counts.accepted++
		s.open[conn] = struct{}{}
		s.mu.Unlock()
		s.running.Go(func() { s.serve(conn) })
	}
}

// serve answers the lines of a connection until its end.
func (s *server) serve(conn net.Conn) {
	defer s.forget(conn)
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if _, err := fmt.Fprintln(conn, s.answer(lines.Text())); err != nil {
			return
		}
	}
}

func (s *server) answer(line string) string {
	command, argument, _ := strings.Cut(line, " ")
	switch command {
	case "PING":
		s.mu.Lock()
		s.counts.pings++
		s.mu.Unlock()
		return "PONG"
	case "ECHO":
		time.Sleep(workTime)
		return argument
	}
	return "ERROR: say PING, or ECHO and a word"
}

// forget closes a connection. If the server has not cut it, its client has closed it.
func (s *server) forget(conn net.Conn) {
	s.mu.Lock()
	if _, open := s.open[conn]; open {
		delete(s.open, conn)
		s.counts.closed++
	}
	s.mu.Unlock()
	conn.Close()
}

// cutEvery cuts a connection at each interval, and every eighth time all of them, as if the server had
// been started again.
func (s *server) cutEvery(ctx context.Context, interval time.Duration) {
	if interval == 0 {
		return
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.cut(n%8 == 0)
		}
	}
}

// cut breaks off one of the open connections, or all of them, whatever is under way there.
func (s *server) cut(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.open { // in random order
		delete(s.open, conn)
		s.counts.cut++
		_ = conn.(*net.TCPConn).SetLinger(0) // a reset instead of a polite end
		conn.Close()
		if !all {
			return
		}
	}
}

func (s *server) stats() serverStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := s.counts
	counts.open = uint64(len(s.open))
	return counts
}

// drain takes no more connections and waits until the clients have closed theirs, or ctx ends.
func (s *server) drain(ctx context.Context) {
	s.listener.Close()
	drained := make(chan struct{})
	go func() {
		s.running.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-ctx.Done():
	}
}

// close ends the server, with whatever is still open.
func (s *server) close() {
	s.listener.Close()
	s.cut(true)
	s.running.Wait()
}

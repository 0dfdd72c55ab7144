package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Config is what a LineConn needs to know. The pool hands it to DialLineConn.
type Config struct {
	Addr       string        // of the server
	CheckAfter time.Duration // how long a connection may be unused before it has to be checked
}

// LineConn is a connection to a server that answers each line with a line. Like most connections, it must
// not be used by two goroutines at the same time.
type LineConn struct {
	conn       net.Conn
	reader     *bufio.Reader
	checkAfter time.Duration
	used       time.Time // when the last request was answered; zero if one was not
	err        error     // why one was not
}

// DialLineConn connects to the server. Here the pool finds its create hook.
func DialLineConn(ctx context.Context, cfg *Config) (*LineConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, err
	}
	return &LineConn{conn: conn, reader: bufio.NewReader(conn), checkAfter: cfg.CheckAfter, used: time.Now()}, nil
}

// NeedsHealthCheck reports whether the connection has not been used for a while, or has failed: the pool
// then calls Ping before it hands the connection out. The pool asks this on every Acquire, so it is short.
func (c *LineConn) NeedsHealthCheck() bool { return time.Since(c.used) > c.checkAfter }

// Ping checks the connection.
func (c *LineConn) Ping(ctx context.Context) error {
	answer, err := c.Do(ctx, "PING")
	if err == nil && answer != "PONG" {
		err = fmt.Errorf("the server answered PING with %q instead of PONG", answer)
	}
	return err
}

// Close closes the connection.
func (c *LineConn) Close() error { return c.conn.Close() }

// Do sends a line and returns the answer. It returns at the deadline of ctx, if that has one.
//
// After an error nobody knows which answer will come next: a late one would go to whoever asks next, who
// may be somebody else. So every later Do fails too, and the connection should be discarded. Should it be
// released instead, it has a health check due, which fails.
func (c *LineConn) Do(ctx context.Context, line string) (string, error) {
	if strings.ContainsAny(line, "\r\n") {
		return "", errors.New("a request must be a single line; remove its line breaks")
	}
	if c.err != nil {
		return "", fmt.Errorf("the connection has failed before, discard it: %w", c.err)
	}
	answer, err := c.exchange(ctx, line)
	if err != nil {
		c.used, c.err = time.Time{}, err
		return "", err
	}
	c.used = time.Now()
	return answer, nil
}

func (c *LineConn) exchange(ctx context.Context, line string) (string, error) {
	deadline, _ := ctx.Deadline() // the zero time, if there is none, is no deadline here as well
	if err := c.conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	if _, err := c.conn.Write([]byte(line + "\n")); err != nil {
		return "", err
	}
	answer, err := c.reader.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return string(bytes.TrimRight(answer, "\r\n")), nil
}

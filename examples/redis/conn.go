package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Config is what a Conn needs to know. The pool hands it to DialConn.
type Config struct {
	Addr       string        // host:port, or a Unix socket: whatever has a slash in it
	CheckAfter time.Duration // how long a connection may be unused before it has to be checked
}

// network is what to dial.
func (c *Config) network() string {
	if strings.Contains(c.Addr, "/") {
		return "unix"
	}
	return "tcp"
}

// Conn is a connection to Redis. It must not be used by two goroutines at the same time.
type Conn struct {
	conn       net.Conn
	reader     *bufio.Reader
	checkAfter time.Duration
	used       time.Time // when the last command was answered
	err        error     // why one was not
}

// Error is what Redis says instead of an answer. The connection is as good as before.
type Error string

func (e Error) Error() string { return "redis: " + string(e) }

// DialConn connects to the server. Here the pool finds its create hook.
func DialConn(ctx context.Context, cfg *Config) (*Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, cfg.network(), cfg.Addr)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, reader: bufio.NewReader(conn), checkAfter: cfg.CheckAfter}
	// A server that accepts is not yet one that answers: it may be loading its data, or have too many clients.
	if err := c.Ping(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// NeedsHealthCheck reports whether the connection has not been used for a while.
func (c *Conn) NeedsHealthCheck() bool { return time.Since(c.used) > c.checkAfter }

// Ping checks the connection.
func (c *Conn) Ping(ctx context.Context) error {
	answer, err := c.Do(ctx, "PING")
	if err == nil && answer != "PONG" {
		err = fmt.Errorf("redis: the answer to PING is %v instead of PONG", answer)
	}
	return err
}

// Broken reports, on release, whether a command has failed. An answer to it may still be under way,
// and must not become that of the next one.
func (c *Conn) Broken() bool { return c.err != nil }

// Close closes the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// Do sends a command and returns its answer: a string, an int64, a []any, or nil. An Error leaves the connection usable;
// after any other error it answers every command with that.
func (c *Conn) Do(ctx context.Context, args ...string) (any, error) {
	if c.err != nil {
		return nil, c.err
	}
	deadline, _ := ctx.Deadline()
	if err := c.conn.SetDeadline(deadline); err != nil {
		return nil, c.fail(err)
	}
	// If ctx ends before its deadline, reading and writing end with it.
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	answer, err := c.roundTrip(args)
	if !stop() { // the deadline that is set then may hit the next command
		c.err = fmt.Errorf("redis: %w", context.Cause(ctx))
	}
	var said Error
	if err != nil && !errors.As(err, &said) {
		return nil, c.fail(err)
	}
	c.used = time.Now()
	return answer, err
}

// fail keeps an error: where the stream of answers stands is not known after it.
func (c *Conn) fail(err error) error {
	if c.err == nil {
		c.err = fmt.Errorf("redis: %w", err)
	}
	return c.err
}

// roundTrip writes a command and reads its answer.
func (c *Conn) roundTrip(args []string) (any, error) {
	var command bytes.Buffer
	fmt.Fprintf(&command, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&command, "$%d\r\n%s\r\n", len(arg), arg)
	}
	if _, err := c.conn.Write(command.Bytes()); err != nil {
		return nil, err
	}
	return c.read()
}

// read reads one answer, in RESP, version 2.
func (c *Conn) read() (any, error) {
	line, err := c.reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimSuffix(line[1:], "\r\n")
	switch kind {
	case '+':
		return rest, nil
	case '-':
		return nil, Error(rest)
	case ':':
		return strconv.ParseInt(rest, 10, 64)
	case '$', '*':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return nil, err
		}
		if kind == '$' {
			return c.readBulk(n)
		}
		return c.readArray(n)
	}
	return nil, fmt.Errorf("the server says %q, which is not RESP", line)
}

func (c *Conn) readBulk(n int) (any, error) {
	bulk := make([]byte, n+len("\r\n"))
	_, err := io.ReadFull(c.reader, bulk)
	return string(bulk[:n]), err
}

// readArray reads n answers. An Error among them is an element like any other.
func (c *Conn) readArray(n int) (any, error) {
	var array []any
	for range n {
		element, err := c.read()
		var said Error
		if errors.As(err, &said) {
			element = said
		} else if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	return array, nil
}

package main

import (
	"context"
	"errors"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// Config is what it takes to log in. The pool hands it to DialConn.
type Config struct {
	Addr       string // host and port
	Client     *ssh.ClientConfig
	CheckAfter time.Duration // how long a connection may be unused before it has to be checked
}

// Conn is an SSH connection that ends what takes too long: an ssh.Client knows no deadlines.
type Conn struct {
	*ssh.Client
	checkAfter time.Duration
	used       time.Time // when the server was last heard of
	err        error     // why it was not
}

// DialConn connects and logs in.
func DialConn(ctx context.Context, cfg *Config) (*Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // the handshake knows no deadline either
	c, channels, requests, err := ssh.NewClientConn(conn, cfg.Addr, cfg.Client)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &Conn{Client: ssh.NewClient(c, channels, requests), checkAfter: cfg.CheckAfter, used: time.Now()}, nil
}

// NeedsHealthCheck reports whether the connection has not been used for a while.
func (c *Conn) NeedsHealthCheck() bool { return time.Since(c.used) > c.checkAfter }

// Ping is the keep-alive request of OpenSSH. Servers may refuse it: that is an answer as well.
func (c *Conn) Ping(ctx context.Context) error {
	return c.bounded(ctx, func() error {
		_, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
		return err
	})
}

// Broken reports, on release, whether the connection has failed.
func (c *Conn) Broken() bool { return c.err != nil }

// Run runs a command and returns its output. A command that fails leaves the connection usable.
func (c *Conn) Run(ctx context.Context, command string) (output []byte, err error) {
	err = c.bounded(ctx, func() error {
		session, err := c.NewSession()
		if err != nil {
			return err
		}
		defer session.Close()
		output, err = session.Output(command)
		return err
	})
	return output, err
}

// bounded calls f, and closes the connection when ctx ends meanwhile: nothing less is sure to end f.
func (c *Conn) bounded(ctx context.Context, f func() error) error {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	err := f()
	if !stop() {
		c.err = context.Cause(ctx)
		return c.err
	}
	var exit *ssh.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.err = err
		return err
	}
	c.used = time.Now()
	return err
}

package main

import (
	"context"
	"errors"
	"net"
	"net/smtp"
	"net/textproto"
	"time"
)

// Config is what a Conn needs to know. The pool hands it to DialConn.
type Config struct {
	Addr       string        // host and port of the server
	Hello      string        // the name by which the client introduces itself
	CheckAfter time.Duration // how long a connection may be unused before it has to be checked
}

// Mail is a message, header and all, with the addresses it goes from and to.
type Mail struct {
	From string
	To   []string
	Data []byte
}

// Conn is a connection to a mail server that ends what takes too long: an smtp.Client knows no deadlines.
type Conn struct {
	*smtp.Client
	conn       net.Conn
	checkAfter time.Duration
	used       time.Time // when the server last answered
	err        error     // why it did not
}

// DialConn connects, and introduces itself.
func DialConn(ctx context.Context, cfg *Config) (*Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, checkAfter: cfg.CheckAfter}
	err = c.bounded(ctx, func() (err error) {
		host, _, _ := net.SplitHostPort(cfg.Addr)
		if c.Client, err = smtp.NewClient(conn, host); err != nil {
			return err
		}
		return c.Hello(cfg.Hello)
	})
	if err == nil {
		err = c.err
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// NeedsHealthCheck reports whether the connection has not been used for a while.
func (c *Conn) NeedsHealthCheck() bool { return time.Since(c.used) > c.checkAfter }

// HealthCheck asks the server whether it is still there.
func (c *Conn) HealthCheck(ctx context.Context) error { return c.bounded(ctx, c.Noop) }

// Reset ends, on release, a mail that was begun: else the next one would go to its recipients, too.
// As it takes a context, the pool does not keep the releaser waiting for it.
func (c *Conn) Reset(ctx context.Context) error { return c.bounded(ctx, c.Client.Reset) }

// Broken reports, on release, whether the connection has failed. An answer may still be under way, and must not
// become that to the next command.
func (c *Conn) Broken() bool { return c.err != nil }

// Close says goodbye, unless the server would not hear it.
func (c *Conn) Close(ctx context.Context) error {
	if c.err == nil && c.bounded(ctx, c.Quit) == nil {
		return nil // Quit has closed the connection
	}
	return c.conn.Close()
}

// Send sends a mail and returns what the server says when it has taken it, such as the name by which it is known in
// its logs.
func (c *Conn) Send(ctx context.Context, m Mail) (receipt string, err error) {
	err = c.bounded(ctx, func() (err error) {
		if err = c.Mail(m.From); err != nil {
			return err
		}
		for _, to := range m.To {
			if err = c.Rcpt(to); err != nil {
				return err
			}
		}
		receipt, err = c.data(m.Data)
		return err
	})
	return receipt, err
}

// data is what smtp.Client.Data does, but tells the last answer.
func (c *Conn) data(data []byte) (string, error) {
	if err := c.Text.PrintfLine("DATA"); err != nil {
		return "", err
	}
	if _, _, err := c.Text.ReadResponse(354); err != nil {
		return "", err
	}
	w := c.Text.DotWriter()
	if _, err := w.Write(data); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	_, answer, err := c.Text.ReadResponse(250)
	return answer, err
}

// bounded calls f, which ends when ctx does. After an error other than the server's word, the connection is of no use.
func (c *Conn) bounded(ctx context.Context, f func() error) error {
	if c.err != nil {
		return c.err
	}
	deadline, _ := ctx.Deadline()
	if c.err = c.conn.SetDeadline(deadline); c.err != nil {
		return c.err
	}
	// If ctx ends before its deadline, reading and writing end with it.
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	err := f()
	if !stop() { // the deadline that is set then may hit the next command
		c.err = context.Cause(ctx)
	}
	var said *textproto.Error
	if err != nil && (!errors.As(err, &said) || said.Code == 421) { // 421: the server is about to close
		c.err = err
	}
	c.used = time.Now()
	return err
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// wire is a connection to a server, as far as the soak uses one.
type wire interface {
	// echo sends an id, and returns the one in the answer.
	echo(ctx context.Context, id int64) (int64, error)
	// failed reports whether the connection is of no more use: an answer may still be under way.
	failed() bool
	close(ctx context.Context) error
}

// application is how the connections of the pools call themselves, for PostgreSQL to tell them from others.
const application = "poolgen-soak"

type postgresWire struct{ conn *pgx.Conn }

func dialPostgres(ctx context.Context, addr string) (wire, error) {
	return connectPostgres(ctx, addr, application)
}

func connectPostgres(ctx context.Context, addr, application string) (postgresWire, error) {
	host, port, _ := net.SplitHostPort(addr)
	conn, err := pgx.Connect(ctx, fmt.Sprintf("host=%s port=%s user=poolgen dbname=postgres sslmode=disable application_name=%s", host, port, application))
	return postgresWire{conn}, err
}

func (w postgresWire) echo(ctx context.Context, id int64) (got int64, err error) {
	err = w.conn.QueryRow(ctx, "SELECT $1::bigint", id).Scan(&got)
	return got, err
}

func (w postgresWire) failed() bool { return w.conn.IsClosed() || w.conn.PgConn().IsBusy() }

// close waits until pgx has cancelled what was under way, as the example in examples/postgres does.
func (w postgresWire) close(ctx context.Context) error {
	err := w.conn.Close(ctx)
	select {
	case <-w.conn.PgConn().CleanupDone():
		return err
	case <-ctx.Done():
		return errors.Join(ctx.Err(), w.conn.PgConn().Conn().Close())
	}
}

// redisWire speaks as much RESP as it takes.
type redisWire struct {
	conn   net.Conn
	reader *bufio.Reader
	err    error // why a command was not answered
}

func dialRedis(ctx context.Context, addr string) (wire, error) { return connectRedis(ctx, addr) }

func connectRedis(ctx context.Context, addr string) (*redisWire, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	w := &redisWire{conn: conn, reader: bufio.NewReader(conn)}
	if _, err := w.do(ctx, "PING"); err != nil { // who accepts may not answer
		conn.Close()
		return nil, err
	}
	return w, nil
}

func (w *redisWire) echo(ctx context.Context, id int64) (int64, error) {
	answer, err := w.do(ctx, "ECHO", strconv.FormatInt(id, 10))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(answer, 10, 64)
}

func (w *redisWire) failed() bool                { return w.err != nil }
func (w *redisWire) close(context.Context) error { return w.conn.Close() }

// do sends a command and returns its answer, a string of whatever kind. After an error the connection is of no use.
func (w *redisWire) do(ctx context.Context, args ...string) (answer string, err error) {
	defer func() { w.err = errors.Join(w.err, err) }()
	deadline, _ := ctx.Deadline()
	if err := w.conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = w.conn.SetDeadline(time.Unix(1, 0)) })
	answer, err = w.roundTrip(args)
	if !stop() {
		err = ctx.Err()
	}
	return answer, err
}

func (w *redisWire) roundTrip(args []string) (string, error) {
	var command strings.Builder
	fmt.Fprintf(&command, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&command, "$%d\r\n%s\r\n", len(arg), arg)
	}
	if _, err := io.WriteString(w.conn, command.String()); err != nil {
		return "", err
	}
	line, err := w.reader.ReadString('\n')
	if err != nil {
		return "", err
	}
	rest := strings.TrimSuffix(line[1:], "\r\n")
	switch line[0] {
	case '+', ':':
		return rest, nil
	case '$':
		n, err := strconv.Atoi(rest)
		if err != nil {
			return "", err
		}
		bulk := make([]byte, n+len("\r\n"))
		_, err = io.ReadFull(w.reader, bulk)
		return string(bulk[:n]), err
	}
	return "", fmt.Errorf("redis: %s", line)
}

package pools

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/poolgen/poolgen/bench/replays/faulty"
)

type sqlPool struct{ db *sql.DB }

func newSQL(config Config) (Pool, error) {
	db := sql.OpenDB(sqlConnector{config})
	db.SetMaxOpenConns(config.Size)
	db.SetMaxIdleConns(config.Size)
	if config.With == Lifetime {
		db.SetConnMaxLifetime(MaxLifetime)
	}
	return sqlPool{db}, nil
}

func (p sqlPool) Acquire(ctx context.Context) (Lease, error) {
	conn, err := p.db.Conn(ctx)
	return sqlLease{conn}, err
}

func (p sqlPool) Close(context.Context) error { return p.db.Close() }

type sqlLease struct{ conn *sql.Conn }

func (l sqlLease) ID() (id int) {
	_ = l.conn.Raw(func(raw any) error {
		id = raw.(interface{ ID() int }).ID()
		return nil
	})
	return id
}

func (l sqlLease) Query(ctx context.Context) error { return l.conn.PingContext(ctx) }
func (l sqlLease) Release()                        { _ = l.conn.Close() }

func (l sqlLease) Discard() {
	defer l.Release()
	_ = l.conn.Raw(func(any) error { return driver.ErrBadConn }) // which has the pool close it
}

// sqlConnector is a driver.
type sqlConnector struct{ config Config }

func (c sqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.config.Server.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if c.config.With == Check {
		return sqlCheckedConn{sqlConn{conn}}, nil
	}
	return sqlConn{conn}, nil
}

func (c sqlConnector) Driver() driver.Driver { return nil }

type sqlConn struct{ *faulty.Conn }

func (c sqlConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }
func (c sqlConn) Begin() (driver.Tx, error)           { return nil, driver.ErrSkip }
func (c sqlConn) Ping(ctx context.Context) error      { return c.Query(ctx) }

// sqlCheckedConn is tried before each lease.
type sqlCheckedConn struct{ sqlConn }

// ResetSession is called before a connection is used again.
func (c sqlCheckedConn) ResetSession(ctx context.Context) error {
	c.Server().Hook("check")
	if c.Query(ctx) != nil {
		return driver.ErrBadConn
	}
	return nil
}

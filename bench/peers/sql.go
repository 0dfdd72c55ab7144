package peers

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/poolgen/poolgen/bench/trivial"
)

type sqlPool struct{ db *sql.DB }

func newSQL(config Config) (Pool, error) {
	db := sql.OpenDB(sqlConnector{config})
	db.SetMaxOpenConns(config.Size)
	db.SetMaxIdleConns(config.Size)
	return sqlPool{db}, nil
}

func (p sqlPool) Loop(ctx context.Context, n int) error {
	for range n {
		conn, err := p.db.Conn(ctx)
		if err != nil {
			return err
		}
		if err := conn.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (p sqlPool) Use(ctx context.Context, hold func(*trivial.Conn) error) error {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(raw any) error {
		if hold(raw.(interface{ trivial() *trivial.Conn }).trivial()) != nil {
			return driver.ErrBadConn // which has the pool close it
		}
		return nil
	})
}

func (p sqlPool) Close() { _ = p.db.Close() }

// sqlConnector is a driver.
type sqlConnector struct{ config Config }

func (c sqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.config.Server.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if c.config.Check {
		return &sqlCheckedConn{sqlConn{conn}}, nil
	}
	return &sqlConn{conn}, nil
}

func (c sqlConnector) Driver() driver.Driver { return nil }

type sqlConn struct{ conn *trivial.Conn }

func (c *sqlConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }
func (c *sqlConn) Begin() (driver.Tx, error)           { return nil, driver.ErrSkip }
func (c *sqlConn) Close() error                        { return nil }

// sqlCheckedConn is tried before each lease.
type sqlCheckedConn struct{ sqlConn }

// ResetSession is called before a connection is used again.
func (c *sqlCheckedConn) ResetSession(context.Context) error {
	if c.conn.Try() != nil {
		return driver.ErrBadConn
	}
	return nil
}

func (c *sqlConn) trivial() *trivial.Conn { return c.conn }

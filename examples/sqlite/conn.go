package main

import (
	"context"
	"errors"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// File is the path of a database. The pool hands it to OpenConn.
type File string

// OpenConn opens a connection, and prepares it as every one should be.
func OpenConn(file File) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(string(file))
	if err != nil {
		return nil, err
	}
	if err := sqlitex.ExecuteTransient(conn, "PRAGMA foreign_keys = on", nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// BeforeAcquireConn ends what the requester does on the connection when its context ends.
func BeforeAcquireConn(ctx context.Context, conn *sqlite.Conn) error {
	conn.SetInterrupt(ctx.Done())
	return nil
}

// ResetConn leaves nothing of one requester to the next: no context, and no transaction, which
// would keep all others from writing. A statement whose results were not read to the end is a mistake in the program
// that may last: the connection is closed.
func ResetConn(conn *sqlite.Conn) error {
	conn.SetInterrupt(nil)
	if query := conn.CheckReset(); query != "" {
		return errors.New("not read to the end: " + query)
	}
	if conn.AutocommitEnabled() {
		return nil
	}
	return sqlitex.ExecuteTransient(conn, "ROLLBACK", nil)
}

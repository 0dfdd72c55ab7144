// Package sqlite pools connections to an SQLite database.
package sqlite

//go:generate go tool poolgen -type=zombiezen.com/go/sqlite.Conn -create=sqlite.OpenConn

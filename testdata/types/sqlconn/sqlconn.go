// Package sqlconn pools the connections of a database/sql.DB.
package sqlconn

//go:generate go tool poolgen -type=database/sql.Conn -create=sql.DB.Conn -check=PingContext

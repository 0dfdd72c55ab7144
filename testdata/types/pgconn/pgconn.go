// Package pgconn pools connections to PostgreSQL below the level of pgx.
package pgconn

//go:generate go tool poolgen -type=github.com/jackc/pgx/v5/pgconn.PgConn -create=pgconn.ConnectConfig

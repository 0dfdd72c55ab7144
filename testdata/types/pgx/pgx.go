// Package pgx pools connections to PostgreSQL.
package pgx

//go:generate go tool poolgen -type=github.com/jackc/pgx/v5.Conn -create=pgx.ConnectConfig

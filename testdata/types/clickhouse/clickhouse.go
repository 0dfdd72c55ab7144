// Package clickhouse pools connections to ClickHouse.
package clickhouse

//go:generate go tool poolgen -type=github.com/ClickHouse/ch-go.Client -create=ch.Dial

// Package nats pools connections to NATS.
package nats

//go:generate go tool poolgen -type=github.com/nats-io/nats.go.Conn -create=nats.Options.Connect -check=FlushWithContext

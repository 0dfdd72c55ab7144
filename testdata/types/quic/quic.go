// Package quic pools QUIC connections. The address and the configurations are apart, and there is no plain Close.
package quic

import (
	"context"
	"crypto/tls"

	"github.com/quic-go/quic-go"
)

//go:generate go tool poolgen -type=quic.Conn

type server struct {
	addr string
	tls  *tls.Config
}

func newConn(ctx context.Context, s server) (*quic.Conn, error) {
	return quic.DialAddr(ctx, s.addr, s.tls, nil)
}

func closeConn(c *quic.Conn) error { return c.CloseWithError(0, "") }

func brokenConn(c *quic.Conn) bool { return c.Context().Err() != nil }

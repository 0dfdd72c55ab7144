// Package netconn pools plain network connections. The network and the address are apart.
package netconn

import (
	"context"
	"net"
)

//go:generate go tool poolgen -type=net.Conn

func dialConn(ctx context.Context, addr string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", addr)
}

// Package gorillawebsocket pools WebSockets made by gorilla/websocket. The dialer takes headers and returns the
// response, too.
package gorillawebsocket

import (
	"context"

	"github.com/gorilla/websocket"
)

//go:generate go tool poolgen -type=websocket.Conn

func newConn(ctx context.Context, url string) (*websocket.Conn, error) {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
	return conn, err
}

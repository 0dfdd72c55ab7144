// Package coderwebsocket pools WebSockets made by coder/websocket. Dial takes options and returns the response, too.
package coderwebsocket

import (
	"context"

	"github.com/coder/websocket"
)

//go:generate go tool poolgen -type=websocket.Conn -close=CloseNow

func newConn(ctx context.Context, url string) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(ctx, url, nil)
	return conn, err
}

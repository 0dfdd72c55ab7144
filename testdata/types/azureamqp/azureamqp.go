// Package azureamqp pools sessions of an AMQP 1.0 connection. NewSession takes options.
package azureamqp

import (
	"context"

	"github.com/Azure/go-amqp"
)

//go:generate go tool poolgen -type=amqp.Session

func newSession(ctx context.Context, c *amqp.Conn) (*amqp.Session, error) {
	return c.NewSession(ctx, nil)
}

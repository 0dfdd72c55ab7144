// Package kafka pools connections to a Kafka broker. The network and the address are apart, and a check is any
// request.
package kafka

import (
	"context"

	"github.com/segmentio/kafka-go"
)

//go:generate go tool poolgen -type=kafka.Conn

func dialConn(ctx context.Context, addr string) (*kafka.Conn, error) {
	return kafka.DialContext(ctx, "tcp", addr)
}

func pingConn(c *kafka.Conn) error {
	_, err := c.ApiVersions()
	return err
}

package main

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// Config is what it takes to connect. The pool hands it to connect.
type Config struct {
	URL  string // of the server, like nats://127.0.0.1:4222
	Name string // of the client, for those who watch the server
}

// connect is the create hook. It keeps the client from reconnecting: that is the pool's business, which
// would not know that a connection is of no use for the time being.
func connect(ctx context.Context, cfg *Config) (*nats.Conn, error) {
	deadline, bounded := ctx.Deadline() // the pool's CreateTimeout, if nothing else
	if !bounded {
		return nil, errors.New("connect needs a context with a deadline")
	}
	return nats.Connect(cfg.URL, nats.Name(cfg.Name), nats.NoReconnect(), nats.Timeout(time.Until(deadline)),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2)) // who says nothing for 3 s is closed
}

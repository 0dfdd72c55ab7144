package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/examples/internal/faults"
)

func TestRequestsAreAnsweredOverAFewConnections(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out, faults.Find(t, "nats").Address, 200, 4))
	require.Contains(t, out.String(), "200 requests")
}

func TestThePoolSurvivesItsServer(t *testing.T) {
	faults.Test(t, faults.Subject{
		Server: "nats", Requesters: 8, Patience: time.Second,
		Open: open, Probe: faults.Greeted, Connections: connections,
	})
}

// open opens a pool whose requests the sender itself answers: no worker has to come back before there is an answer.
func open(t testing.TB, addr string) faults.Pool {
	pool, err := NewNatsConnPool(&Config{URL: "nats://" + addr, Name: t.Name()},
		NatsConnPoolOptions{MaxSize: 4, CreateTimeout: 300 * time.Millisecond, HealthCheckTimeout: 300 * time.Millisecond})
	require.NoError(t, err)
	return tested{pool}
}

// connections asks the server's monitor.
func connections(ctx context.Context, _ string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("POOLGEN_NATS_MONITOR")+"/connz", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var said struct {
		Connections int `json:"num_connections"`
	}
	return said.Connections, json.NewDecoder(answer.Body).Decode(&said)
}

// tested is a pool as the faults use it.
type tested struct{ *NatsConnPool }

func (p tested) Ask(ctx context.Context, id int64) (answer int64, err error) {
	err = p.With(ctx, func(c *nats.Conn) error {
		text := strconv.FormatInt(id, 10)
		own := "poolgen.test." + text
		subscription, err := c.Subscribe(own, func(m *nats.Msg) { _ = m.Respond(m.Data) })
		if err != nil {
			return err
		}
		defer subscription.Unsubscribe()
		m, err := c.RequestWithContext(ctx, own, []byte(text))
		if err != nil {
			return err
		}
		answer, err = strconv.ParseInt(string(m.Data), 10, 64)
		return err
	})
	return answer, err
}

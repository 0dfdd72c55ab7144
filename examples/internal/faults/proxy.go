package faults

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// Proxy is a network between a pool and its server.
type Proxy struct{ proxy *toxiproxy.Proxy }

// NewProxy starts a proxy in front of a host and port, on a port of its own.
func NewProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &Proxy{toxiproxy.NewProxy(api, t.Name(), "127.0.0.1:0", upstream)}
	require.NoError(t, p.proxy.Start())
	t.Cleanup(p.proxy.Stop)
	return p
}

// Addr is the host and port that stand for the server's.
func (p *Proxy) Addr() string { return p.proxy.Listen }

// Delay delays all answers.
func (p *Proxy) Delay(t testing.TB, latency time.Duration) {
	t.Helper()
	p.add(t, "latency", "downstream", map[string]any{"latency": latency.Milliseconds(), "jitter": latency.Milliseconds() / 2})
}

// Reset answers each request by the reset of its connection.
func (p *Proxy) Reset(t testing.TB) {
	t.Helper()
	p.add(t, "reset_peer", "downstream", map[string]any{"timeout": 0})
}

// BlackHole loses what is sent, in both directions, and tells nobody.
func (p *Proxy) BlackHole(t testing.TB) {
	t.Helper()
	p.add(t, "timeout", "upstream", map[string]any{"timeout": 0})
	p.add(t, "timeout", "downstream", map[string]any{"timeout": 0})
}

// Refuse cuts all connections, and refuses new ones.
func (p *Proxy) Refuse(testing.TB) { p.proxy.Stop() }

// Heal ends all of these, and says when. What went into a black hole stays there.
func (p *Proxy) Heal(t testing.TB) time.Time {
	t.Helper()
	p.proxy.Toxics.ResetToxics(context.Background())
	if err := p.proxy.Start(); err != nil {
		require.ErrorIs(t, err, toxiproxy.ErrProxyAlreadyStarted)
	}
	return time.Now()
}

func (p *Proxy) add(t testing.TB, kind, stream string, attributes map[string]any) {
	t.Helper()
	toxic, err := json.Marshal(map[string]any{"type": kind, "stream": stream, "attributes": attributes})
	require.NoError(t, err)
	_, err = p.proxy.Toxics.AddToxicJson(strings.NewReader(string(toxic)))
	require.NoError(t, err)
}

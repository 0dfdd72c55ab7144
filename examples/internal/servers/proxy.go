package servers

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Proxy is a network between a pool and its server.
type Proxy struct {
	proxy *toxiproxy.Proxy
	addr  string
}

// NewProxy starts a proxy in front of a host and port, on a port of its own.
func NewProxy(name, upstream string) (*Proxy, error) {
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &Proxy{proxy: toxiproxy.NewProxy(api, name, "127.0.0.1:0", upstream)}
	err := p.proxy.Start()
	p.addr = p.proxy.Listen // which each start sets again
	return p, err
}

// Addr is the host and port that stand for the server's.
func (p *Proxy) Addr() string { return p.addr }

// Close ends the proxy, and what goes through it.
func (p *Proxy) Close() { p.proxy.Stop() }

// Delay delays all answers.
func (p *Proxy) Delay(latency time.Duration) error {
	return p.add("latency", "downstream", map[string]any{"latency": latency.Milliseconds(), "jitter": latency.Milliseconds() / 2})
}

// Reset answers each request by the reset of its connection.
func (p *Proxy) Reset() error {
	return p.add("reset_peer", "downstream", map[string]any{"timeout": 0})
}

// ResetSome does that to one connection in four.
func (p *Proxy) ResetSome() error {
	return p.addTo(0.25, "reset_peer", "downstream", map[string]any{"timeout": 0})
}

// BlackHole loses what is sent, in both directions, and tells nobody.
func (p *Proxy) BlackHole() error {
	return errors.Join(p.add("timeout", "upstream", map[string]any{"timeout": 0}), p.add("timeout", "downstream", map[string]any{"timeout": 0}))
}

// Refuse cuts all connections, and refuses new ones.
func (p *Proxy) Refuse() error {
	p.proxy.Stop()
	return nil
}

// Heal ends all of these, and says when. What went into a black hole stays there.
func (p *Proxy) Heal() (time.Time, error) {
	p.proxy.Toxics.ResetToxics(context.Background())
	err := p.proxy.Start()
	if errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		err = nil
	}
	return time.Now(), err
}

func (p *Proxy) add(kind, stream string, attributes map[string]any) error {
	return p.addTo(1, kind, stream, attributes)
}

func (p *Proxy) addTo(part float64, kind, stream string, attributes map[string]any) error {
	toxic, err := json.Marshal(map[string]any{"type": kind, "stream": stream, "toxicity": part, "attributes": attributes})
	if err != nil {
		return err
	}
	_, err = p.proxy.Toxics.AddToxicJson(strings.NewReader(string(toxic)))
	return err
}

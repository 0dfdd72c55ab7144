// Package faults is what the examples' tests have in common: a real server that is killed, frozen and brought back,
// a network that is slow, cut or deaf, and a load whose every request has an id and a deadline.
package faults

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/examples/internal/servers"
)

// Find returns the server of that name; a test that lacks it ends. In CI, which sets POOLGEN_CI, that is a failure.
func Find(t testing.TB, name string) *servers.Server {
	t.Helper()
	server, err := servers.Find(name, "../..") // the repository, seen from an example
	if err == nil {
		return server
	}
	const how = `scripts/services start; eval "$(scripts/services env)"; go test -count=1 ./examples/...`
	if os.Getenv("POOLGEN_CI") != "" {
		t.Fatalf("%v; CI starts it with: %s", err, how)
	}
	t.Skipf("not run, as %v. To run it: %s", err, how)
	return nil
}

// NewProxy starts a proxy in front of a host and port, which ends with the test.
func NewProxy(t testing.TB, upstream string) *servers.Proxy {
	t.Helper()
	proxy, err := servers.NewProxy(t.Name(), upstream)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	return proxy
}

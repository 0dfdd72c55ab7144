// Package faults is what the examples' tests have in common: a real server that is killed, frozen and brought back,
// a network that is slow, cut or deaf, and a load whose every request has an id and a deadline.
package faults

import (
	"os"
	"testing"
)

// NotRun ends a test that lacks a server. In CI, which sets POOLGEN_CI, that is a failure.
func NotRun(t testing.TB, why string) {
	t.Helper()
	const how = `scripts/services start; eval "$(scripts/services env)"; go test -count=1 ./examples/...`
	if os.Getenv("POOLGEN_CI") != "" {
		t.Fatalf("%s; CI starts it with: %s", why, how)
	}
	t.Skipf("not run, as %s. To run it: %s", why, how)
}

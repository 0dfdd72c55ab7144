package generator

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// myConn asks for the pool of a type MyConn with these hooks and feature groups, in a package of its own.
func myConn(t *testing.T, hooks string, with ...string) Request {
	t.Helper()
	dir := t.TempDir()
	source := "package app\n\nimport \"context\"\n\ntype MyConn struct{ id int }\n\n" +
		"func NewMyConn(ctx context.Context) (*MyConn, error) { return new(MyConn), nil }\n" + hooks
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/app\n\ngo 1.25\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "conn.go"), []byte(source), 0o644))
	choice, err := Groups.Choose(with, nil)
	require.NoError(t, err)
	return Request{Dir: dir, Type: "MyConn", Groups: choice}
}

// generated is that pool.
func generated(t *testing.T, hooks string, with ...string) string {
	t.Helper()
	file, err := Generate(context.Background(), myConn(t, hooks, with...))
	require.NoError(t, err)
	return string(file.Text)
}

func lines(text string) int { return strings.Count(text, "\n") }

const checkedAndClosed = `
func (c *MyConn) NeedsHealthCheck() bool                { return c.id > 100 }
func (c *MyConn) HealthCheck(ctx context.Context) error { return ctx.Err() }
func (c *MyConn) Close() error                          { return nil }
`

// The bars are 900 lines for the default set, here with create, needs-check, check and close, and 450 for the bare core of a
// type that is created and no more. What hooks add to the bare core is held where it is.
func TestTheGeneratedFileDoesNotGrow(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, lines(generated(t, checkedAndClosed)), 900)
	require.LessOrEqual(t, lines(generated(t, "", "none")), 450)
	require.LessOrEqual(t, lines(generated(t, checkedAndClosed, "none")), 588)
}

func TestAPoolWithoutHooksIsShorter(t *testing.T) {
	t.Parallel()
	bare := generated(t, "")
	require.Less(t, lines(bare), lines(generated(t, checkedAndClosed)))
	for _, line := range strings.Split(bare, "\n") {
		if !strings.Contains(line, "goGenerate") && !strings.Contains(line, "IsFatal struct{}") {
			for _, trace := range []string{"health", "checking", "closing", "unhealthy", "resetting"} {
				require.NotContains(t, strings.ToLower(line), trace)
			}
		}
	}
}

package generator

import (
	"context"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// keys are the keys of the JSON form of a type.
func keys(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return keys(t.Elem())
	case reflect.Struct:
		var list []string
		for i := range t.NumField() {
			if tag := t.Field(i).Tag.Get("json"); tag != "" {
				list = append(append(list, tag), keys(t.Field(i).Type)...)
			}
		}
		return list
	}
	return nil
}

func TestTheDocumentationHasAllKeysOfAnExplanation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/explain.md")
	require.NoError(t, err)
	all := keys(reflect.TypeFor[Explanation]())
	require.Greater(t, len(all), 30)
	for _, key := range all {
		require.Contains(t, string(text), "`"+key+"`")
	}
}

// explained is the explanation of the pool of a type MyConn with these hooks.
func explained(t *testing.T, hooks string, with ...string) *Explanation {
	t.Helper()
	e, err := Explain(context.Background(), myConn(t, hooks, with...))
	require.NoError(t, err)
	return e
}

const allHooks = checkedAndClosed + `
func (c *MyConn) Reset()                             {}
func (c *MyConn) Broken() bool                       { return false }
func (c *MyConn) AfterCreate() error                 { return nil }
func (c *MyConn) BeforeAcquire(context.Context) bool { return true }
func (c *MyConn) AfterRelease() bool                 { return true }
func (c *MyConn) BeforeClose()                       {}
func (c *MyConn) IsFatal(err error) bool             { return false }
`

// The path of those who acquire and release is told from the pool's own goroutines, whatever else the pool has.
func TestCallsOnTheFastPathAreTold(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"none", "default", "all"} {
		e := explained(t, allHooks, set)
		require.Empty(t, e.Build)
		fast := map[Kind]bool{NeedsCheck: true, Reset: true, Broken: true, BeforeAcquire: true, AfterRelease: true, IsFatal: true}
		for _, h := range e.Hooks {
			require.NotEmpty(t, h.Calls, "%s with %s", h.Kind, set)
			for _, call := range h.Calls {
				require.Equal(t, fast[h.Kind], call.Fast, "%s with %s: %+v", h.Kind, set, call)
				require.Contains(t, call.Code, strings.TrimPrefix(h.Function, "MyConn.")+"(")
				require.NotNil(t, call.Inlined)
				require.True(t, *call.Inlined, "%s with %s: %+v", h.Kind, set, call)
			}
		}
	}
}

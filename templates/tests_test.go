package templates

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	defined = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	named   = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w+)`")
)

// read returns a table of docs, after it has seen that the tests which that names exist.
func read(t *testing.T, path string) string {
	t.Helper()
	table, err := os.ReadFile(path)
	require.NoError(t, err)
	tests := map[string]bool{}
	paths, err := filepath.Glob("pool/*_test.go")
	require.NoError(t, err)
	more, err := filepath.Glob("../bench/*_test.go")
	require.NoError(t, err)
	histories, err := filepath.Glob("../test/*/*_test.go")
	require.NoError(t, err)
	mine, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	for _, path := range slices.Concat(paths, more, histories, mine) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, match := range defined.FindAllSubmatch(text, -1) {
			tests[string(match[1])] = true
		}
	}
	for _, match := range named.FindAllSubmatch(table, -1) {
		require.True(t, tests[string(match[1])], "there is no %s", match[1])
	}
	return string(table)
}

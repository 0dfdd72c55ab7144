package generator

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What has come to the path since it was looked at stays, too, and no temporary file does.
func TestANewFileReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.go")
	file := &File{Path: path, Text: []byte("package a\n")}
	require.NoError(t, EmitNew(context.Background(), file))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "package a\n", string(text))

	file.Text = []byte("package b\n")
	require.ErrorContains(t, EmitNew(context.Background(), file), "a.go: exists already")
	require.ErrorContains(t, file.write(linked(file)), "a.go: exists already")
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "package a\n", string(text))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func TestAPackageIsCalledAsItsFolder(t *testing.T) {
	for dir, want := range map[string]string{
		"app": "app", "my-app": "myapp", "go-ldap": "goldap", "client.v2": "client", "123": "main", "App2": "app2", "type": "main", "_x": "x",
	} {
		require.Equal(t, want, packageName(dir, nil), dir)
	}
}

package generator

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// whole is the pool as it is without outlines: the template with the user's own names, formatted file by file.
func whole(t *testing.T, c *Connection, r Request) string {
	t.Helper()
	parsed, err := parsedTemplate()
	require.NoError(t, err)
	o := &outline{Connection: c, features: parsed.features(c, r), names: outputNames(parsed.ids.declared, newStem(r.prefix()), c.Type).fit(parsed.features(c, r), newStem(r.prefix()))}
	d := &draft{}
	var texts []string
	add := func(text string) {
		file, text, err := gofmt(dropBlankLines(text))
		require.NoError(t, err)
		d.passages = append(d.passages, &passage{paths: parsed.used(file)})
		if text != "" {
			texts = append(texts, text)
		}
	}
	declarations, err := parsed.texts(o)
	require.NoError(t, err)
	for _, text := range declarations {
		add(text)
	}
	add(o.guards(o.names))
	frame, err := c.frame(r, o.names["Pool"], o.names["size"], d)
	require.NoError(t, err)
	return strings.Join(append([]string{string(frame)}, texts...), "\n")
}

// TestOutlinesMakeTheSamePools compares pools that are made of outlines with what is made of them without, for names of
// many lengths, some of which are the template's own, and some of which are like marks.
func TestOutlinesMakeTheSamePools(t *testing.T) {
	t.Parallel()
	choice := func(with ...string) Choice {
		c, err := Groups.Choose(with, nil)
		require.NoError(t, err)
		return c
	}
	choices := []Choice{choice(), choice("none"), choice("all")}
	types := []string{"C", "Xy", "Abc", "conn", "MyConnection", "AConnectionThatHasANameOfMoreThanThirtyLetters", "Verbindungsöffner", "ⲀⲂ", "Zq", "slot", "Pool"}
	for i, v := range variants() {
		if testing.Short() && i%7 > 0 {
			continue
		}
		name := types[i%len(types)]
		t.Run(fmt.Sprint(v.name, name), func(t *testing.T) {
			t.Parallel()
			context := []string{"Config", "K", "aContextOfSomeLength", "ctx"}[i%4]
			v.source = strings.NewReplacer("NewMyConn", "New"+upperFirst(name), "MyConn", name, "Config", context).Replace(v.source)
			request := Request{Type: name, Size: v.size, Groups: choices[i%len(choices)]}
			if i%5 == 0 {
				request.Prefix = "other"
			}
			dir := t.TempDir()
			conn := filepath.Join(dir, "conn.go")
			require.NoError(t, os.WriteFile(conn, []byte(v.source), 0o644))
			pkg, err := read(t.Context(), &listing{Name: "app", GoFiles: []string{conn}}, request, dir, "")
			require.NoError(t, err)
			c, err := resolve(pkg, request)
			require.NoError(t, err)
			text, err := specialise(c, request)
			require.NoError(t, err)
			require.Equal(t, whole(t, c, request), string(text))
		})
	}
}

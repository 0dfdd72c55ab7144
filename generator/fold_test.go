package generator

import (
	"go/format"
	"testing"

	"github.com/stretchr/testify/require"
)

// folded is what the features leave of a file of the template, laid out by gofmt.
func folded(t *testing.T, f features, text string) string {
	t.Helper()
	parsed, err := parseTemplate()
	require.NoError(t, err)
	s, err := parsed.parse("file.go", []byte(text))
	require.NoError(t, err)
	require.NoError(t, s.fold(f, names{}))
	text, err = s.slice(0, len(s.text))
	require.NoError(t, err)
	formatted, err := format.Source([]byte(dropBlankLines(text)))
	require.NoError(t, err, "%s", text)
	return string(formatted)
}

func TestALoopThatAlwaysGoesOnHasNoCondition(t *testing.T) {
	t.Parallel()
	require.Equal(t, "package p\n\nfunc f() {\n\tfor {\n\t\tmore()\n\t}\n}\n", folded(t, features{"hasMore": true},
		"package p\n\nfunc f() {\n\tfor hasMore && (hasMore || a) {\n\t\tmore()\n\t}\n\tfor !hasMore && a {\n\t\tless()\n\t}\n}\n"))
}

func TestASwitchThatIsLeftWithTwoCasesIsAnIf(t *testing.T) {
	t.Parallel()
	const begun, ended = "package p\n\nfunc f() {\n\tswitch {\n", "\t}\n\tlast()\n}\n"
	without := features{"hasMore": false, "hasOther": false}
	require.Equal(t, "package p\n\nfunc f() {\n\tif a {\n\t\tfirst()\n\t\treturn\n\t}\n\tsecond()\n\tlast()\n}\n", folded(t, without,
		begun+"\tcase b: //poolgen:if hasMore\n\t\tmore()\n\tcase a && !hasMore:\n\t\tfirst()\n\t\treturn\n\tcase !hasMore || c:\n\t\tsecond()\n"+ended))
	for name, cases := range map[string]string{
		"the first goes on":       "\tcase a:\n\t\tfirst()\n\tcase !hasMore || c:\n\t\tsecond()\n",
		"the first does nothing":  "\tcase a:\n\tcase !hasMore || c:\n\t\tsecond()\n",
		"the second may not hold": "\tcase a:\n\t\treturn\n\tcase c:\n\t\tsecond()\n",
		"the first has two":       "\tcase a, b:\n\t\treturn\n\tcase !hasMore || c:\n\t\tsecond()\n",
	} {
		require.Contains(t, folded(t, without, begun+cases+ended), "switch {", name)
	}
}

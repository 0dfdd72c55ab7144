package templates

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// behaviours are how many behaviours each section of docs/conformance.md has.
var behaviours = map[string]int{
	"BAS": 16, "CAP": 18, "WAI": 16, "CAN": 13, "CRE": 17, "HLT": 16, "LIF": 19, "CLO": 15,
	"RST": 11, "RSZ": 6, "STA": 11, "HOK": 10, "PAN": 8, "MIS": 12, "LEK": 8, "STR": 11,
}

// The table of conformance has a row for each behaviour, and the tests that it names exist.
func TestTheTableOfConformanceIsTrue(t *testing.T) {
	table, err := os.ReadFile("../docs/conformance.md")
	require.NoError(t, err)
	tests := map[string]bool{}
	paths, err := filepath.Glob("pool/*_test.go")
	require.NoError(t, err)
	more, err := filepath.Glob("../bench/*_test.go")
	require.NoError(t, err)
	for _, path := range append(paths, more...) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(text, -1) {
			tests[string(match[1])] = true
		}
	}
	for section, n := range behaviours {
		for i := range n {
			id := fmt.Sprintf("%s-%02d", section, i+1)
			require.Regexp(t, `(?m)^\| `+id+` \|`, string(table), "%s has no row", id)
		}
	}
	for _, name := range regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(string(table), -1) {
		require.True(t, tests[name], "there is no %s", name)
	}
}

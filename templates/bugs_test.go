package templates

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bugs is how many docs/bugs.md has.
const bugs = 86

// The table of bugs has a row for each, in order, with the tests that replay it or the reason why it can't be here.
func TestTheTableOfBugsIsTrue(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$`).FindAllStringSubmatch(read(t, "../docs/bugs.md"), -1)
	require.Len(t, rows, bugs)
	for i, row := range rows {
		require.Equal(t, row[1], strconv.Itoa(i+1))
		require.NotEmpty(t, strings.TrimSpace(row[4]), "bug %d", i+1)
	}
}

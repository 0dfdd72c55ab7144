package templates

import (
	"fmt"
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
	table := read(t, "../docs/conformance.md")
	for section, n := range behaviours {
		for i := range n {
			id := fmt.Sprintf("%s-%02d", section, i+1)
			require.Regexp(t, `(?m)^\| `+id+` \|`, table, "%s has no row", id)
		}
	}
}

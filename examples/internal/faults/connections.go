package faults

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// connections returns those that the server has not closed, as Linux lists them: its port, and the client's.
func (s *Server) connections(t testing.TB) []string {
	t.Helper()
	_, decimal, err := net.SplitHostPort(s.TCP)
	require.NoError(t, err)
	port, err := strconv.Atoi(decimal)
	require.NoError(t, err)
	table, err := os.ReadFile("/proc/net/tcp")
	require.NoError(t, err)
	var open []string
	for _, line := range strings.Split(string(table), "\n") {
		columns := strings.Fields(line) // the number, local and remote address, state
		if len(columns) < 4 || !strings.HasSuffix(columns[1], fmt.Sprintf(":%04X", port)) {
			continue
		}
		switch columns[3] {
		case "01", "08": // established, or closed by the client only
			open = append(open, columns[1]+" "+columns[2])
		}
	}
	return open
}

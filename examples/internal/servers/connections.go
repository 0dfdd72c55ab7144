package servers

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// ServerEnds returns the connections that the server at an address has not closed, as Linux lists them, and ClientEnds those
// that its clients have not.
func ServerEnds(addr string) ([]string, error) { return openEnds(addr, 1) }

// ClientEnds is the other side of ServerEnds.
func ClientEnds(addr string) ([]string, error) { return openEnds(addr, 2) }

// openEnds returns the ends, local and remote address, whose address in a column of the table has the port of addr.
func openEnds(addr string, column int) (open []string, err error) {
	_, decimal, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(decimal)
	if err != nil {
		return nil, err
	}
	table, err := os.ReadFile("/proc/net/tcp")
	for line := range strings.Lines(string(table)) {
		columns := strings.Fields(line) // the number, local and remote address, state
		if len(columns) < 4 || !strings.HasSuffix(columns[column], fmt.Sprintf(":%04X", port)) {
			continue
		}
		switch columns[3] {
		case "01", "08": // established, or closed by the other end only
			open = append(open, columns[1]+" "+columns[2])
		}
	}
	return open, err
}

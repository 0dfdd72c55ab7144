package main

import (
	"fmt"
	"io"
	"strings"
)

// sum is a part of the table: a total, and what it must be made of. The numbers come from different
// places, the load, the pool and the server, so if one of them lost something, they would not agree.
type sum struct {
	name  string
	total int
	parts []part
}

type part struct {
	name string
	n    int
}

// sums returns all there are.
func (r *result) sums() []sum {
	load, pool, server := r.load, r.pool, r.server
	var (
		answered   = int(load.answered.Load())
		reconnects = int(load.reconnects.Load())
		discarded  = int(pool.RetiredDiscarded)
		unhealthy  = int(pool.RetiredUnhealthy)
		cut        = int(server.cut)
	)
	return []sum{
		{"requests", int(load.requests.Load()), []part{
			{"answered", answered},
			{"failed", int(load.failed.Load())},
		}},
		{"leases", int(pool.Acquired), []part{
			{"released with an answer", answered},
			{"discarded", discarded},
		}},
		{"leases discarded", discarded, []part{
			{"reconnects after a network error", reconnects},
			{"out of time, or a wrong answer", int(load.givenUp.Load())},
		}},
		{"connections created", int(pool.Created), []part{
			{"discarded", discarded},
			{"failed a health check", unhealthy},
			{"closed at the end", int(pool.RetiredUnwanted)},
			{"still open", r.openInPool()},
		}},
		{"connections the server accepted", int(server.accepted), []part{
			{"cut by the server", cut},
			{"closed by the pool", int(server.closed)},
			{"still open", int(server.open)},
		}},
		{"cut by the server", cut, []part{
			{"noticed by a request: reconnects", reconnects},
			{"noticed by a health check", unhealthy},
			{"never leased (again)", cut - reconnects - unhealthy},
		}},
	}
}

// openInPool is how many connections the pool says it has: none, once it is closed.
func (r *result) openInPool() int {
	return r.pool.Idle + r.pool.InUse + r.pool.Checking + r.pool.Closing + r.pool.Fresh
}

func (s sum) print(w io.Writer) {
	row(w, s.name, grouped(s.total))
	for _, part := range s.parts {
		row(w, "  "+part.name, grouped(part.n))
	}
	fmt.Fprintln(w)
}

// check says which sum is wrong, if it is.
func (s sum) check() error {
	total, negative := 0, false
	var terms []string
	for _, part := range s.parts {
		total += part.n
		negative = negative || part.n < 0
		terms = append(terms, fmt.Sprintf("%d %s", part.n, part.name))
	}
	if total == s.total && !negative {
		return nil
	}
	return fmt.Errorf("this does not add up: %d %s = %s", s.total, s.name, strings.Join(terms, " + "))
}

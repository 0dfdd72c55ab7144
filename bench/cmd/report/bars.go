package main

import (
	"fmt"
	"math"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/scenarios"
)

// bar is something that must hold.
type bar struct {
	scenario string
	what     string
	measured float64
	relation string // of what is measured to the limit
	limit    float64
	unit     string
}

const atMost, atLeast = "≤", "≥"

// holds is false where nothing was measured.
func (b bar) holds() bool {
	if b.relation == atMost {
		return b.measured <= b.limit
	}
	return b.measured >= b.limit
}

const bare, standard, barging = "poolgen bare", "poolgen", "poolgen, barging"

// bars are those of issue 6, with what was measured. A ratio is the median of those of each round.
func (m *measurements) bars() (all []bar) {
	add := func(scenario, what string, measured float64, relation string, limit float64, unit string) {
		if m.effort.only.MatchString(scenario) {
			all = append(all, bar{scenario, what, measured, relation, limit, unit})
		}
	}
	ns := func(scenario, one, other string) float64 { return m.against(scenario, "ns/op", one, other, quotient) }

	add("S1", "bare core, to the floor", ns("S1", bare, "two compare-and-swaps"), atMost, 1.8, "×")
	add("S1", "default set, to the floor", ns("S1", standard, "two compare-and-swaps"), atMost, 2, "×")
	for _, other := range []struct {
		name   string
		faster float64
	}{{"vitess", 5}, {"puddle", 10}, {"database/sql", 10}, {"pgxpool", 20}} {
		add("S1", "default set faster than "+other.name, ns("S1", other.name, standard), atLeast, other.faster, "×")
	}
	add("S1", "allocations", max(m.median("S1", bare, "allocs/op"), m.median("S1", standard, "allocs/op")), atMost, 0, "")

	add("S1c", "a needs-check costs", m.against("S1c", "ns/op", "poolgen, needs-check", standard, difference), atMost, 1, "ns")
	add("S1c", "generic to direct, on the plain core", ns("S1c", "plain core, generic", "plain core, direct"), atLeast, 1, "×")
	add("S1c", "interface to direct, on the plain core", ns("S1c", "plain core, interface", "plain core, direct"), atLeast, 1, "×")

	for _, scenario := range []string{"S2/2", "S2/32"} {
		add(scenario, "faster than vitess", ns(scenario, "vitess", standard), atLeast, 5, "×")
		add(scenario, "faster than puddle", ns(scenario, "puddle", standard), atLeast, 5, "×")
		add(scenario, "to sync.Pool", ns(scenario, standard, "sync.Pool"), atMost, 3, "×")
		add(scenario, "to sync.Pool, as each place has a word of its own", ns(scenario, standard, "sync.Pool"), atMost, 1.5, "×")
	}

	inOrder := func(o scenarios.Offer) bool { return o.FIFO && o.Kind != peers.Generated }
	for _, pool := range []struct{ name, with string }{{standard, ""}, {barging, ", with barging"}} {
		fastest, ratio := m.toBest("S3", "ns/op", pool.name, false, inOrder)
		add("S3", "throughput"+pool.with+", to the best that serves in order ("+fastest+")", 1/ratio, atLeast, 1, "×")
		add("S3", "throughput"+pool.with+", to puddle's", ns("S3", "puddle", pool.name), atLeast, 1.5, "×")
		add("S3", "most served to least served"+pool.with, m.median("S3", pool.name, "most/least served"), atMost, 1.2, "×")
		fastest, ratio = m.toBest("S3", "p99 ms", pool.name, false, inOrder)
		add("S3", "p99"+pool.with+", to the best that serves in order ("+fastest+")", ratio, atMost, 1, "×")
	}

	add("S4", "of the ideal throughput", m.median("S4", standard, "% of ideal"), atLeast, 99, "%")
	add("S4", "most served to least served", m.median("S4", standard, "most/least served"), atMost, 1.15, "×")

	fastest, ratio := m.toBest("S5", "served/s", standard, true, inOrder)
	add("S5", "served, to the best that serves in order ("+fastest+")", ratio, atLeast, 1, "×")
	add("S5", "lost connections", m.median("S5", standard, "lost"), atMost, 0, "")

	add("S6", "a connection, default set", m.median("S6", standard, "B/connection"), atMost, 96, "B")
	add("S6", "a pool, default set", m.median("S6", standard, "B/pool"), atMost, 1024, "B")

	add("S7", "served", m.median("S7", standard, "% served"), atLeast, 97, "%")
	add("S7", "dials for 4 places", m.median("S7", standard, "dials"), atMost, 4, "")

	add("S8/warm", "all are served in", m.median("S8/warm", standard, "ms until all are served"), atMost, 25, "ms")
	add("S8/warm", "connections dialled", m.median("S8/warm", standard, "dials"), atMost, 7, "")
	fastest, ratio = m.toBest("S8/cold", "ms until all are served", standard, false, notGenerated)
	add("S8/cold", "time, to the fastest ("+fastest+")", ratio, atMost, 1.5, "×")
	add("S8/cold", "dials, to that one's", m.median("S8/cold", standard, "dials")/m.median("S8/cold", fastest, "dials"), atMost, .2, "×")
	fastest, ratio = m.toBest("S8/lasting", "ms until full throughput", standard, false, notGenerated)
	add("S8/lasting", "time, to the fastest ("+fastest+")", ratio, atMost, 1.3, "×")

	add("S9", "throughput, to vitess's", m.against("S9", "ops/s", standard, "vitess", quotient), atLeast, 1, "×")
	fastest, ratio = m.toBest("S9", "ops/s", standard, true, func(o scenarios.Offer) bool { return notGenerated(o) && !o.Yields })
	add("S9", "throughput, to the best that doesn't yield ("+fastest+")", ratio, atLeast, 2, "×")

	add("S10", "recovered in one check and one dial, of 50 ms each, give or take a tenth", m.median("S10", "poolgen, check", "ms until recovered"), atMost, 110, "ms")

	add("S11/postgres", "throughput, to pgxpool's", m.against("S11/postgres", "ops/s", "poolgen around pgx", "pgxpool with PostgreSQL", quotient), atLeast, 1, "×")
	add("S11/postgres", "p99, to pgxpool's", m.against("S11/postgres", "p99 ms", "poolgen around pgx", "pgxpool with PostgreSQL", quotient), atMost, 1, "×")
	return all
}

func notGenerated(o scenarios.Offer) bool { return o.Kind != peers.Generated }

// toBest compares a pool with the best of some peers, which is the one to which it compares worst: the median of the ratios of
// each round, as the machine may change its speed from one to the next.
func (m *measurements) toBest(scenario, metric, pool string, more bool, of func(scenarios.Offer) bool) (best string, ratio float64) {
	ratio = math.NaN()
	for _, o := range m.offers {
		to := m.against(scenario, metric, pool, o.Name, quotient)
		if of(o) && !math.IsNaN(to) && (math.IsNaN(ratio) || more == (to < ratio)) {
			best, ratio = o.Name, to
		}
	}
	return best, ratio
}

func (b bar) String() string {
	verdict := "holds"
	switch {
	case math.IsNaN(b.measured):
		verdict = "**not measured**"
	case !b.holds():
		verdict = "**does not hold**"
	}
	return fmt.Sprintf("| %s | %s | %s %s | %s | %s |", b.scenario, b.what, b.relation, number(b.limit, b.unit), number(b.measured, b.unit), verdict)
}

package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/poolgen/poolgen/bench/cmd/internal/machine"
	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/scenarios"
)

// measurements are what a run has yielded.
type measurements struct {
	effort  effort
	begun   time.Time
	took    time.Duration
	load    string // the machine's, before the run
	offers  []scenarios.Offer
	missing map[string]string // peers that could not be measured, with the reason
	cells   map[cellKey]*cell
}

type cellKey struct{ scenario, peer string }

// cell is what a peer has done in a scenario.
type cell struct {
	rounds  []scenarios.Result // nil where it has failed
	failure error              // the latest
	failed  int
}

// job is one measurement of a round.
type job struct {
	program  *program
	peer     scenarios.Offer
	scenario scenarios.Scenario
}

func measureAll(ctx context.Context, e effort) (*measurements, error) {
	m := &measurements{effort: e, begun: time.Now(), load: machine.LoadAverage(), missing: maps.Clone(peers.Missing), cells: map[cellKey]*cell{}}
	dir, err := os.MkdirTemp("", "poolgen-report")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	programs, err := m.programs(ctx, dir)
	if err != nil {
		return nil, err
	}
	jobs := m.jobs(programs)
	for round := range max(e.rounds, e.fixedRounds) {
		if err := m.round(ctx, round, jobs); err != nil {
			return nil, err
		}
	}
	m.took = time.Since(m.begun)
	fmt.Fprintf(os.Stderr, "\r%-80s\n", fmt.Sprintf("done after %v", m.took.Round(time.Second)))
	return m, nil
}

// programs are this one, and those of the peers that have modules of their own, which are built into dir.
func (m *measurements) programs(ctx context.Context, dir string) ([]*program, error) {
	own, err := self(ctx)
	if err != nil {
		return nil, err
	}
	all := []*program{own}
	fmt.Fprint(os.Stderr, "building the peers that have modules of their own ...")
	if vitess, err := build(ctx, filepath.Join("bench", "vitess"), filepath.Join(dir, "vitess")); err != nil {
		m.missing["vitess"] = err.Error()
	} else {
		all = append(all, vitess)
	}
	for _, p := range all {
		m.offers = append(m.offers, p.offers...)
	}
	return all, ctx.Err()
}

// jobs are the measurements of a round, scenario by scenario.
func (m *measurements) jobs(programs []*program) (jobs []job) {
	for _, scenario := range scenarios.All {
		if !m.effort.only.MatchString(scenario.Name) {
			continue
		}
		for _, program := range programs {
			for _, peer := range program.offers {
				if !scenario.Has(peer.Peer) {
					continue
				}
				if peer.Needs != "" && os.Getenv(peer.Needs) == "" {
					m.missing[peer.Name] = "no server: " + services + " could not start it"
					continue
				}
				jobs = append(jobs, job{program, peer, scenario})
				m.cells[cellKey{scenario.Name, peer.Name}] = &cell{}
			}
		}
	}
	return jobs
}

// round measures everything once. The order of the peers changes from round to round.
func (m *measurements) round(ctx context.Context, round int, jobs []job) error {
	jobs = slices.Clone(jobs)
	if round%2 == 1 {
		slices.Reverse(jobs)
	}
	for i, job := range jobs {
		if time.Since(m.begun) > m.effort.limit {
			return nil
		}
		if round >= m.effort.rounds || job.scenario.Fixed && round >= m.effort.fixedRounds {
			continue
		}
		fmt.Fprintf(os.Stderr, "\r%-80s", fmt.Sprintf("%v: round %d of %d, %d of %d: %s, %s", time.Since(m.begun).Round(time.Second),
			round+1, m.effort.rounds, i+1, len(jobs), job.scenario.Name, job.peer.Name))
		if err := m.cells[cellKey{job.scenario.Name, job.peer.Name}].measure(ctx, job, m.effort.budget); err != nil {
			return err
		}
	}
	return nil
}

// measure adds a round to a cell. Who has failed twice is not tried again.
func (c *cell) measure(ctx context.Context, job job, budget time.Duration) error {
	if c.failed >= 2 {
		c.rounds = append(c.rounds, nil)
		return nil
	}
	result, err := job.program.measure(ctx, job.scenario, job.peer.Name, budget)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.failure, result = err, nil
		c.failed++
		fmt.Fprintf(os.Stderr, "\r%s, %s: %v\n", job.scenario.Name, job.peer.Name, err)
	}
	c.rounds = append(c.rounds, result)
	return nil
}

// values are those of a metric, one for each round; NaN where there is none.
func (m *measurements) values(scenario, peer, metric string) []float64 {
	c := m.cells[cellKey{scenario, peer}]
	if c == nil {
		return nil
	}
	values := make([]float64, len(c.rounds))
	for i, result := range c.rounds {
		value, ok := result[metric]
		if !ok {
			value = math.NaN()
		}
		values[i] = value
	}
	return values
}

// summary is what is said of some values.
type summary struct {
	n                 int
	median, low, high float64 // and the quartiles
}

func summarise(values []float64) summary {
	sorted := slices.DeleteFunc(slices.Sorted(slices.Values(values)), math.IsNaN)
	if len(sorted) == 0 {
		return summary{median: math.NaN()}
	}
	at := func(q float64) float64 {
		at := q * float64(len(sorted)-1)
		below := int(at)
		above := min(below+1, len(sorted)-1)
		return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
	}
	return summary{len(sorted), at(.5), at(.25), at(.75)}
}

func (m *measurements) median(scenario, peer, metric string) float64 {
	return summarise(m.values(scenario, peer, metric)).median
}

// against is the median of what f makes of two peers' values in the same rounds.
func (m *measurements) against(scenario, metric, one, other string, f func(one, other float64) float64) float64 {
	a, b := m.values(scenario, one, metric), m.values(scenario, other, metric)
	var both []float64
	for i := range min(len(a), len(b)) {
		both = append(both, f(a[i], b[i]))
	}
	return summarise(both).median
}

func quotient(a, b float64) float64   { return a / b }
func difference(a, b float64) float64 { return a - b }

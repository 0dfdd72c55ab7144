package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"time"

	"github.com/poolgen/poolgen/bench/cmd/internal/machine"
	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/scenarios"
)

// What the fast path may cost, for CI: ratios to the floor, which is measured in the same run, compared with ratios
// that are committed. A time would say more of the machine than of the pool, and a time on the clock more of what
// else the machine does, so the ratios are those of the time that was computed. Yet even the ratio depends on how fast
// a processor is at compare-and-swap, so there is a reference for each kind that has been met; on another one the
// highest of these counts.

const (
	referenceFile = "bench/cmd/report/reference.json"
	tolerance     = 1.25
	ciRounds      = 12 // of which the fastest counts: noise only ever adds
	ciTries       = 3  // a pool that is slower than the reference is measured again: it may have been the noise
	ciBudget      = 10 * time.Millisecond
	floor         = "two compare-and-swaps"
)

// making says where making way for waiters (runtime.Gosched) makes a pool faster than one that does not, and how often at
// least. It is about three times and twice: a pool that forgets it in one of these places is no faster, or slower.
var making = []struct {
	scenario, metric string
	least            float64
}{
	{"S5", "served/s", 1.4}, // when giving up
	{"S9", "ops/s", 1.4},    // after a hand-over
}

// without is a pool that never makes way.
const without = "channel, select"

//go:embed reference.json
var referenceText []byte

// reference has the ratios by processor and by what is measured.
type reference map[string]map[string]float64

// expected are the ratios for a processor.
func (r reference) expected(processor string) (ratios map[string]float64, known bool) {
	if ratios, known = r[processor]; known {
		return ratios, true
	}
	ratios = map[string]float64{}
	for _, other := range r {
		for what, ratio := range other {
			ratios[what] = max(ratios[what], ratio)
		}
	}
	return ratios, false
}

// fastest keeps the best times, in nanoseconds.
type fastest map[cellKey]float64

// compare measures the fast path and compares it with the reference, or writes that.
func compare(ctx context.Context, update bool) error {
	var known reference
	if err := json.Unmarshal(referenceText, &known); err != nil {
		return err
	}
	// References have been made with two processors.
	if err := os.Setenv("GOMAXPROCS", "2"); err != nil {
		return err
	}
	program, err := self(ctx)
	if err != nil {
		return err
	}
	best := fastest{}
	if update {
		for range ciTries {
			if err := best.measure(ctx, program); err != nil {
				return err
			}
		}
		if known == nil {
			known = reference{}
		}
		known[machine.Processor()] = best.ratios()
		text, err := json.MarshalIndent(known, "", "\t")
		if err != nil {
			return err
		}
		return os.WriteFile(referenceFile, append(text, '\n'), 0o644)
	}
	expected, same := known.expected(machine.Processor())
	if !same {
		fmt.Printf("no reference for %s, the highest counts; to add one: report -ci -update\n", machine.Processor())
	}
	for try := 1; ; try++ {
		if err := best.measure(ctx, program); err != nil {
			return err
		}
		slower := slowerThan(best.ratios(), expected)
		if len(slower) == 0 || try == ciTries {
			printRatios(best.ratios(), expected)
			return errors.Join(append(slower, makesWay(ctx, program))...)
		}
	}
}

// measure runs some more rounds.
func (f fastest) measure(ctx context.Context, program *program) error {
	for range ciRounds {
		for _, name := range []string{"S1", "S2/2", "S2/32"} {
			for _, peer := range []string{floor, bare, standard} {
				result, err := program.find(ctx, name, peer, ciBudget)
				if err != nil {
					return err
				}
				if allocs := result["allocs/op"]; allocs != 0 {
					return fmt.Errorf("%s, %s: %v allocations", name, peer, allocs)
				}
				key, ns := cellKey{name, peer}, result[scenarios.CPUPerOp]
				if old, ok := f[key]; !ok || ns < old {
					f[key] = ns
				}
			}
		}
	}
	return nil
}

// find measures one of this module's peers in the scenario of that name.
func (p *program) find(ctx context.Context, name, peer string, budget time.Duration) (scenarios.Result, error) {
	scenario, _, err := scenarios.Find(peers.All, name, peer)
	if err != nil {
		return nil, err
	}
	result, err := p.measure(ctx, scenario, peer, budget)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", name, peer, err)
	}
	return result, nil
}

// makesWay compares with a pool that does not make way. The best round counts.
func makesWay(ctx context.Context, program *program) error {
	for _, m := range making {
		best := map[string]float64{}
		for range ciTries {
			for _, peer := range []string{standard, without} {
				result, err := program.find(ctx, m.scenario, peer, 4*ciBudget)
				if err != nil {
					return err
				}
				best[peer] = max(best[peer], result[m.metric])
			}
		}
		ratio := best[standard] / best[without]
		fmt.Printf("%-20s %.2f times as much as %s, at least %.2f\n", m.scenario+" "+standard, ratio, without, m.least)
		if ratio < m.least {
			return fmt.Errorf("%s: %.2f times as much as %s, at least %.2f is expected: does it still make way?", m.scenario, ratio, without, m.least)
		}
	}
	return nil
}

// ratios are those to the floor.
func (f fastest) ratios() map[string]float64 {
	ratios := map[string]float64{}
	for key, ns := range f {
		if key.peer != floor {
			ratios[key.scenario+" "+key.peer] = math.Round(100*ns/f[cellKey{key.scenario, floor}]) / 100
		}
	}
	return ratios
}

// slowerThan says what is slower than expected, and by how much.
func slowerThan(ratios, expected map[string]float64) (all []error) {
	for _, what := range slices.Sorted(maps.Keys(expected)) {
		if ratio := ratios[what]; ratio == 0 || ratio > tolerance*expected[what] {
			all = append(all, fmt.Errorf("%s: %.2f times the floor, expected %.2f", what, ratio, expected[what]))
		}
	}
	return all
}

func printRatios(ratios, expected map[string]float64) {
	for _, what := range slices.Sorted(maps.Keys(ratios)) {
		fmt.Printf("%-20s %.2f times the floor, expected %.2f\n", what, ratios[what], expected[what])
	}
}

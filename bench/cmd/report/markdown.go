package main

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolgen/poolgen/bench/cmd/internal/machine"
	"github.com/poolgen/poolgen/bench/scenarios"
)

// write writes the report and its plots.
func (m *measurements) write(dir, text string) error {
	for _, p := range plots {
		svg, err := m.draw(p)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, p.file), svg, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "benchmarks.md"), []byte(text), 0o644)
}

// markdown is the report.
func (m *measurements) markdown() string {
	var b bytes.Buffer
	m.head(&b)
	fmt.Fprint(&b, "\n## What must hold\n\n| | | bar | measured | |\n|---|---|---:|---:|---|\n")
	for _, bar := range m.bars() {
		fmt.Fprintln(&b, bar)
	}
	for _, scenario := range scenarios.All {
		if m.effort.only.MatchString(scenario.Name) {
			m.table(&b, scenario)
		}
	}
	m.peerTable(&b)
	return b.String()
}

func (m *measurements) head(b *bytes.Buffer) {
	fmt.Fprintf(b, "# Side by side\n\n"+
		"Made by `go run ./bench/cmd/report%s` on %s in %v. All pools do the same work on the same trivial connections: the adapters are in\n"+
		"[bench/peers](../bench/peers), a few lines each, the scenarios in [bench/scenarios](../bench/scenarios).\n\n",
		strings.Join(append([]string{""}, os.Args[1:]...), " "), m.begun.Format(time.DateOnly), m.took.Round(time.Second))
	fmt.Fprintf(b, "| | |\n|---|---|\n| machine | %s, %d cores used, load average %s when it began |\n| system | %s |\n| Go | %s %s/%s |\n\n",
		machine.Processor(), runtime.GOMAXPROCS(0), m.load, machine.System(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(b, "Each number is the median of %d rounds (%d for S6 to S8 and S10, whose times can't be shortened), fewer if a scenario says so, with the quartiles in\n"+
		"parentheses where they differ. The peers take turns, and each measurement is a process of its own.\n", m.effort.rounds, m.effort.fixedRounds)
	if m.effort.rounds < 10 {
		fmt.Fprint(b, "**That is too little to rely on**: it is a short run.\n")
	}
}

// table is a scenario's.
func (m *measurements) table(b *bytes.Buffer, scenario scenarios.Scenario) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n", scenario.Name, strings.TrimSuffix(scenario.What, "."))
	for _, p := range plots {
		if p.scenario == scenario.Name {
			fmt.Fprintf(b, "![%s](%s)\n\n", p.title, p.file)
		}
	}
	fmt.Fprint(b, "| |")
	for _, metric := range scenario.Metrics {
		fmt.Fprintf(b, " %s |", metric.Name)
	}
	fmt.Fprintf(b, "\n|---|%s\n", strings.Repeat("---:|", len(scenario.Metrics)))
	for _, o := range m.offers {
		c := m.cells[cellKey{scenario.Name, o.Name}]
		if c == nil {
			continue
		}
		fmt.Fprintf(b, "| %s |", o.Name)
		for _, metric := range scenario.Metrics {
			fmt.Fprintf(b, " %s |", m.text(scenario.Name, o.Name, metric.Name))
		}
		fmt.Fprintln(b)
	}
	m.failures(b, scenario)
}

// text is a median with its quartiles.
func (m *measurements) text(scenario, peer, metric string) string {
	s := summarise(m.values(scenario, peer, metric))
	median, low, high := number(s.median, ""), number(s.low, ""), number(s.high, "")
	if low == high {
		return median
	}
	return fmt.Sprintf("%s (%s–%s)", median, low, high)
}

// failures tells which numbers rest on fewer rounds, and why.
func (m *measurements) failures(b *bytes.Buffer, scenario scenarios.Scenario) {
	wanted := m.effort.rounds
	if scenario.Fixed {
		wanted = m.effort.fixedRounds
	}
	for _, o := range m.offers {
		c := m.cells[cellKey{scenario.Name, o.Name}]
		if c == nil {
			continue
		}
		if done := len(c.rounds) - c.failed; c.failure != nil {
			fmt.Fprintf(b, "\n%s failed %d times: %v.\n", o.Name, c.failed, c.failure)
		} else if done < wanted {
			fmt.Fprintf(b, "\n%s: %d rounds, as the time was over.\n", o.Name, done)
		}
	}
}

// peerTable says what the peers are.
func (m *measurements) peerTable(b *bytes.Buffer) {
	fmt.Fprint(b, "\n## Who is who\n\n| | what | version | |\n|---|---|---|---|\n")
	for _, o := range m.offers {
		version := o.Version
		if o.Module != "" {
			version = o.Module + " " + version
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", o.Name, o.Kind, version, o.Note)
	}
	for _, name := range slices.Sorted(maps.Keys(m.missing)) {
		fmt.Fprintf(b, "| %s | **not measured** | | %s |\n", name, strings.ReplaceAll(m.missing[name], "|", "\\|"))
	}
}

// number has three digits that say something, or none after the point.
func number(value float64, unit string) string {
	if math.IsNaN(value) {
		return "-"
	}
	digits := 0
	if value != math.Trunc(value) {
		digits = max(0, 2-int(math.Floor(math.Log10(math.Abs(value)))))
	}
	text := strconv.FormatFloat(value, 'f', min(digits, 4), 64)
	if unit != "" {
		text += " " + unit
	}
	return text
}

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/poolgen/poolgen/bench/cmd/internal/machine"
	"github.com/poolgen/poolgen/bench/replays"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

// markdown is the report.
func (r *report) markdown() string {
	var b bytes.Buffer
	r.head(&b)
	table, others := r.split()
	fmt.Fprint(&b, "\n## Ten properties\n\nA property of several lines is met if all of them hold which are about something that the pool has.\n\n")
	r.table(&b, table)
	r.sum(&b, table)
	fmt.Fprint(&b, "\n## The others\n\n")
	r.table(&b, others)
	r.misses(&b)
	fmt.Fprint(&b, "\n## What happens\n\n")
	for _, replay := range r.replays {
		fmt.Fprintf(&b, "- **%s**: %s.\n", replay.Name, strings.TrimSuffix(replay.What, "."))
	}
	r.peerTable(&b)
	return b.String()
}

func (r *report) head(b *bytes.Buffer) {
	fmt.Fprintf(b, "# When things go wrong\n\n"+
		"Made by `go run ./bench/cmd/reliability%s` on %s in %v. What has brought real pools down, and what HikariCP's documents and the\n"+
		"answers to them measure, is replayed with every pool: the replays are in [bench/replays](../bench/replays), the adapters in\n"+
		"[bench/replays/pools](../bench/replays/pools), a few lines each. The bars are the same for all.\n\n",
		strings.Join(append([]string{""}, os.Args[1:]...), " "), r.begun.Format(time.DateOnly), r.took.Round(time.Second))
	fmt.Fprintf(b, "| | |\n|---|---|\n| machine | %s, %d cores used |\n| system | %s |\n| Go | %s %s/%s |\n\n",
		machine.Processor(), runtime.GOMAXPROCS(0), machine.System(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(b, "Each replay of a pool is a process of its own, in the virtual time of [testing/synctest](https://pkg.go.dev/testing/synctest): what a pool computes takes no\n"+
		"time, so the times are those for which it waits, exactly, and the machine makes no difference to them. One that has no answer after %v of real time hangs.\n`go test ./bench/replays` asserts the same of generated pools.\n", limit)
}

// split takes those that have a row in the table apart from the others.
func (r *report) split() (table, others []replays.Replay) {
	for _, replay := range r.replays {
		if replay.Row > 0 {
			table = append(table, replay)
		} else {
			others = append(others, replay)
		}
	}
	return table, others
}

// table has a line for each replay and a column for each peer.
func (r *report) table(b *bytes.Buffer, of []replays.Replay) {
	fmt.Fprint(b, "| | | what must come of it |")
	for _, o := range r.offers {
		fmt.Fprintf(b, " %s |", o.Name)
	}
	fmt.Fprintf(b, "\n|---:|---|---|%s\n", strings.Repeat("---|", len(r.offers)))
	for _, replay := range of {
		row := ""
		if replay.Row > 0 {
			row = fmt.Sprint(replay.Row)
		}
		fmt.Fprintf(b, "| %s | %s | %s |", row, replay.Name, replay.Bar)
		for _, o := range r.offers {
			fmt.Fprintf(b, " %s |", r.text(replay, o))
		}
		fmt.Fprintln(b)
	}
}

// text is a verdict with what was measured.
func (r *report) text(replay replays.Replay, o replays.Offer) string {
	if !replay.Has(o.Peer) {
		return fmt.Sprintf("has no %s", replay.With)
	}
	outcome := r.cells[cellKey{replay.Name, o.Name}]
	verdict := "holds"
	if !outcome.Holds {
		verdict = "**does not hold**"
	}
	return verdict + ": " + strings.ReplaceAll(outcome.Measured, "|", "\\|")
}

// sum tells which properties each peer has.
func (r *report) sum(b *bytes.Buffer, table []replays.Replay) {
	fmt.Fprint(b, "\n| | met | not met |\n|---|---:|---|\n")
	for _, o := range r.offers {
		passed := r.passed(o, table)
		var not []string
		for _, row := range slices.Sorted(maps.Keys(passed)) {
			if !passed[row] {
				not = append(not, fmt.Sprint(row))
			}
		}
		fmt.Fprintf(b, "| %s | %d of %d | %s |\n", o.Name, len(passed)-len(not), len(passed), strings.Join(not, ", "))
	}
}

// passed are the rows, with whether all replays of each hold that the peer has been put through, of which there must be one.
func (r *report) passed(o replays.Offer, table []replays.Replay) map[int]bool {
	passed, failed := map[int]bool{}, map[int]bool{}
	for _, replay := range table {
		failed[replay.Row] = failed[replay.Row] || replay.Has(o.Peer) && !r.cells[cellKey{replay.Name, o.Name}].Holds
		passed[replay.Row] = (passed[replay.Row] || replay.Has(o.Peer)) && !failed[replay.Row]
	}
	return passed
}

// misses names the bars that generated pools don't meet, of which a test allows none.
func (r *report) misses(b *bytes.Buffer) {
	var missed []string
	for _, replay := range r.replays {
		if outcome := r.cells[cellKey{replay.Name, pools.Poolgen.Name}]; !outcome.Holds {
			missed = append(missed, fmt.Sprintf("**%s** (%s)", replay.Name, outcome.Measured))
		}
	}
	fmt.Fprintf(b, "\nGenerated pools miss of these: %s.\n", cmp.Or(strings.Join(missed, ", "), "nothing"))
}

// peerTable says what the peers are.
func (r *report) peerTable(b *bytes.Buffer) {
	fmt.Fprint(b, "\n## Who is who\n\n| | version | |\n|---|---|---|\n")
	for _, o := range r.offers {
		fmt.Fprintf(b, "| %s | %s | %s |\n", o.Name, strings.TrimSpace(o.Module+" "+o.Version), o.Note)
	}
	for _, name := range slices.Sorted(maps.Keys(r.missing)) {
		fmt.Fprintf(b, "| %s | **not replayed** | %s |\n", name, strings.ReplaceAll(r.missing[name], "|", "\\|"))
	}
}

// Command report measures generated pools and what users would take instead, side by side, and writes
// docs/benchmarks.md with tables and plots. It checks by itself what must hold.
//
//	go run ./bench/cmd/report           everything, in less than 30 minutes
//	go run ./bench/cmd/report -short    less of it, in less than 3
//	go run ./bench/cmd/report -ci       only whether the fast path has become slower
//
// Each measurement is a process of its own, which is ended if it hangs, and the peers take turns, so that whatever
// slows down the machine for a while hits all alike. Run it from the root of the repository, on a quiet machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"
	"time"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/scenarios"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == serveArg {
		os.Exit(scenarios.Serve(peers.All, os.Args[2:]))
	}
	log.SetFlags(0)
	log.SetPrefix("report: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		stop()
		log.Fatal(err)
	}
}

// effort is how much is measured.
type effort struct {
	rounds      int           // of each scenario
	fixedRounds int           // of those that can't be shortened
	budget      time.Duration // of a measurement, as the scenario takes it
	limit       time.Duration // of the whole run: then it goes with what there is
	only        *regexp.Regexp
}

var (
	full  = effort{rounds: 10, fixedRounds: 10, budget: 100 * time.Millisecond, limit: 29 * time.Minute}
	short = effort{rounds: 3, fixedRounds: 1, budget: 20 * time.Millisecond, limit: 170 * time.Second}
)

func run(ctx context.Context) error {
	isShort := flag.Bool("short", false, "fewer and shorter measurements")
	ci := flag.Bool("ci", false, "compare the fast path's ratios with the reference, and nothing else")
	update := flag.Bool("update", false, "with -ci: write the reference")
	rounds := flag.Int("rounds", 0, "how often each scenario is measured; by default 10, or 3 with -short")
	only := flag.String("only", "", "a regular expression: the scenarios to measure; with it, nothing is written but to the standard output")
	output := flag.String("o", "docs", "the folder for benchmarks.md and its plots")
	flag.Parse()
	if *ci {
		return compare(ctx, *update)
	}
	e := full
	if *isShort {
		e = short
	}
	if *rounds > 0 {
		e.rounds, e.fixedRounds = *rounds, *rounds
	}
	var err error
	if e.only, err = regexp.Compile("^(" + *only + ")"); err != nil {
		return err
	}
	var m *measurements
	if err := withServices(ctx, func() (err error) {
		m, err = measureAll(ctx, e)
		return err
	}); err != nil {
		return err
	}
	text := m.markdown()
	if *only != "" {
		fmt.Print(text)
		return nil
	}
	return m.write(*output, text)
}

// Command reliability puts generated pools, and what users would take instead, through the replays of bench/replays, and
// writes docs/reliability.md.
//
//	go run ./bench/cmd/reliability
//
// Each replay of a pool is a process of its own, which may die of it, and is ended if it hangs. Time is virtual, so all of
// it takes less than a minute, whatever else the machine does. Run it from the root of the repository.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"time"

	"github.com/poolgen/poolgen/bench/replays"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == serveArg {
		replays.Serve(pools.All, os.Args[2:])
	}
	log.SetFlags(0)
	log.SetPrefix("reliability: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		stop()
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	only := flag.String("only", "", "a regular expression: the replays to run; with it, nothing is written but to the standard output")
	output := flag.String("o", filepath.Join("docs", "reliability.md"), "the file to write")
	flag.Parse()
	chosen, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	r, err := replayAll(ctx, chosen)
	if err != nil {
		return err
	}
	text := r.markdown()
	if *only != "" {
		fmt.Print(text)
		return nil
	}
	return os.WriteFile(*output, []byte(text), 0o644)
}

// report is what a run has yielded.
type report struct {
	begun   time.Time
	took    time.Duration
	replays []replays.Replay
	offers  []replays.Offer
	missing map[string]string // peers that could not be had, with the reason
	cells   map[cellKey]replays.Outcome
}

type cellKey struct{ replay, peer string }

// replayAll puts all peers through the chosen replays.
func replayAll(ctx context.Context, chosen *regexp.Regexp) (*report, error) {
	r := &report{begun: time.Now(), missing: map[string]string{}, cells: map[cellKey]replays.Outcome{}}
	for _, replay := range replays.All {
		if chosen.MatchString(replay.Name) {
			r.replays = append(r.replays, replay)
		}
	}
	dir, err := os.MkdirTemp("", "poolgen-reliability")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	programs, err := r.programs(ctx, dir)
	if err != nil {
		return nil, err
	}
	for i, replay := range r.replays {
		for _, program := range programs {
			for _, peer := range program.offers {
				progress("%v: %d of %d: %s, %s", time.Since(r.begun).Round(time.Second), i+1, len(r.replays), replay.Name, peer.Name)
				if !replay.Has(peer.Peer) {
					continue
				}
				if r.cells[cellKey{replay.Name, peer.Name}], err = program.replay(ctx, replay.Name, peer.Name); err != nil {
					return nil, fmt.Errorf("%s, %s: %w", replay.Name, peer.Name, err)
				}
			}
		}
	}
	r.took = time.Since(r.begun)
	progress("done after %v", r.took.Round(time.Second))
	fmt.Fprintln(os.Stderr)
	return r, nil
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "\r%-80s", fmt.Sprintf(format, args...))
}

// programs are this one, and that of vitess, whose module is another one, built into dir.
func (r *report) programs(ctx context.Context, dir string) ([]*program, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	own, err := newProgram(ctx, path, serveArg)
	if err != nil {
		return nil, err
	}
	all := []*program{own}
	progress("building vitess ...")
	if vitess, err := build(ctx, filepath.Join("bench", "vitess"), "./reliability", filepath.Join(dir, "vitess")); err != nil {
		r.missing["vitess"] = err.Error()
	} else {
		all = append(all, vitess)
	}
	for _, program := range all {
		r.offers = append(r.offers, program.offers...)
	}
	return all, ctx.Err()
}

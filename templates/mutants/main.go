// Command mutants sees whether the tests of templates/pool notice bugs: it puts one mutation after the other of
// mutations.diff into a copy of the pool, and runs the tests that are expected to notice, then, if none of them does, all. It is
// run by scripts/mutants, and described in docs/testing.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

func main() {
	short := flag.Bool("short", false, "only those marked as short")
	long := flag.Duration("timeout", 3*time.Minute, "how long all tests may take for one mutation")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: scripts/mutants [-short] [-timeout 3m] [name of a mutation, or a pattern...]")
	}
	flag.Parse()
	caught, err := run(*short, *long, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	if !caught {
		os.Exit(1)
	}
}

// run prints the table, and reports whether no mutation has survived.
func run(short bool, long time.Duration, only []string) (caught bool, err error) {
	begun := time.Now()
	text, err := os.ReadFile("templates/mutants/mutations.diff")
	if err != nil {
		return false, err
	}
	all, err := parse(string(text))
	if err != nil {
		return false, err
	}
	// All of them are applied before any is run: the list must not rot, not even for those that -short leaves out.
	if err := applicable(all, "templates/pool"); err != nil {
		return false, err
	}
	chosen, err := choose(all, short, only)
	if err != nil {
		return false, err
	}
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	l := &lab{work: work, long: long}
	if err := l.control(chosen); err != nil {
		return false, err
	}
	fmt.Println("mutation, seconds, the test that failed")
	survivors, err := l.table(chosen)
	fmt.Printf("\n%d mutations, %d survived, %.0f s\n", len(chosen), survivors, time.Since(begun).Seconds())
	return survivors == 0, err
}

// choose returns the mutations that are wanted.
func choose(all []mutation, short bool, only []string) (chosen []mutation, err error) {
	wanted, err := regexp.Compile("^(" + strings.Join(only, "|") + ")$")
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if len(only) > 0 && wanted.MatchString(m.name) || len(only) == 0 && (m.short || !short) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("there is no such mutation: %s", strings.Join(only, " "))
	}
	return chosen, nil
}

// table runs mutations, as many at a time as there are processors, and prints a row for each in their order.
func (l *lab) table(chosen []mutation) (survivors int, err error) {
	rows := make([]chan outcome, len(chosen))
	next := make(chan int)
	for i := range rows {
		rows[i] = make(chan outcome, 1)
	}
	for range min(runtime.NumCPU(), len(chosen)) {
		go func() {
			for i := range next {
				rows[i] <- l.try(chosen[i])
			}
		}()
	}
	go func() {
		for i := range chosen {
			next <- i
		}
		close(next)
	}()
	for i, m := range chosen {
		o := <-rows[i]
		if o.err != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", m.name, o.err))
			continue
		}
		if o.test == "" {
			survivors++
			o.test = "SURVIVED"
		} else if o.late {
			o.test += " (not among those expected)"
		}
		fmt.Printf("%-42s %5.1f  %s\n", m.name, o.took.Seconds(), o.test)
	}
	return survivors, err
}

// applicable sees whether each mutation can be made.
func applicable(all []mutation, pool string) (wrong error) {
	for _, m := range all {
		source, err := os.ReadFile(filepath.Join(pool, m.file))
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		_, err = m.apply(string(source))
		wrong = errors.Join(wrong, err)
	}
	return wrong
}

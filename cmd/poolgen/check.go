package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/poolgen/poolgen/generator"
)

// errFound says that check has found something, and has printed what.
var errFound = errors.New("generated pools are not what they should be")

// check prints what is wrong with generated pools.
func check(ctx context.Context, stdout, stderr io.Writer, c command) error {
	findings, err := generator.Verify(ctx, ".", requests, c.patterns...)
	if err != nil {
		return err
	}
	if c.json {
		err = printJSON(stdout, findings)
	} else {
		err = printText(stdout, stderr, findings)
	}
	for _, f := range findings {
		if f.Status != generator.Current && f.Status != generator.Excluded {
			return errors.Join(err, errFound)
		}
	}
	return err
}

// printJSON prints each finding as a line.
func printJSON(w io.Writer, findings []generator.Finding) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, f := range findings {
		if err := encoder.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// printText prints findings for people, and as a patch, in which the lines between the diffs do no harm.
// Errors, which have a position of their own, go where errors go.
func printText(stdout, stderr io.Writer, findings []generator.Finding) error {
	var errs []error
	print := func(w io.Writer, format string, args ...any) {
		_, err := fmt.Fprintf(w, format, args...)
		errs = append(errs, err)
	}
	count := map[generator.Status]int{}
	for _, f := range findings {
		count[f.Status]++
		switch f.Status {
		case generator.Current:
		case generator.Failed:
			print(stderr, "%s\n", f.Message)
		default:
			print(stdout, "%s: %s: %s\n%s", f.File, f.Status, f.Message, f.Diff)
		}
	}
	var wrong []string
	for _, status := range []generator.Status{generator.Stale, generator.Edited, generator.Missing, generator.Orphaned, generator.Failed} {
		if n := count[status]; n > 0 {
			wrong = append(wrong, fmt.Sprintf("%d %s", n, status))
		}
	}
	summary := fmt.Sprintf("generated pools that are up to date: %d", count[generator.Current])
	if len(wrong) > 0 {
		summary += "; that are not: " + strings.Join(wrong, ", ")
	}
	if n := count[generator.Excluded]; n > 0 {
		summary += fmt.Sprintf("; not checked: %d", n)
	}
	print(stdout, "poolgen: %s\n", summary)
	return errors.Join(errs...)
}

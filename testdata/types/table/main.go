// Command table writes the table in docs/types.md: what it took to make a pool for each of the types in this module.
//
//	go run ./table ../../docs/types.md           bring the file up to date
//	go run ./table -check ../../docs/types.md    say whether it is
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail if the table is out of date")
	flag.Parse()
	if err := run(context.Background(), flag.Arg(0), *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run brings the table in a document up to date, or checks that it is.
func run(ctx context.Context, document string, check bool) error {
	old, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	files, err := filepath.Glob("*/*_pool.go")
	if err != nil {
		return err
	}
	var rows []row
	for _, file := range files {
		r, err := describe(ctx, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		rows = append(rows, r)
	}
	if err := versions(ctx, rows); err != nil {
		return err
	}
	text, err := replace(old, table(rows))
	switch {
	case err != nil || bytes.Equal(text, old):
		return err
	case check:
		return fmt.Errorf("the table in %s is out of date; run go run ./table %s", document, document)
	}
	return os.WriteFile(document, text, 0o644)
}

// The table stands between these lines.
var begin, end = []byte("<!-- go run ./table -->\n\n"), []byte("\n<!-- end -->\n")

// replace puts a table where the document has the old one.
func replace(document, table []byte) ([]byte, error) {
	head, rest, found := bytes.Cut(document, begin)
	_, tail, closed := bytes.Cut(rest, end)
	if !found || !closed {
		return nil, errors.New("the document has no place for the table")
	}
	return bytes.Join([][]byte{head, begin, table, end, tail}, nil), nil
}

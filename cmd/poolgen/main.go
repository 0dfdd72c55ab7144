// Command poolgen writes connection pools: it reads a connection type and generates, into the same package,
// a pool that is made for that one type. Run poolgen help for how to use it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/poolgen/poolgen/generator"
)

// Exit codes.
const (
	fine  = 0
	found = 1 // something is wrong with what poolgen was run on
	usage = 2 // something is wrong with how poolgen was run
)

func main() {
	if os.Getenv("GOGC") == "" {
		// A run is short, and its heap small: some 10 MB, and one for each pool. Most need no collection at all.
		debug.SetGCPercent(1000)
		debug.SetMemoryLimit(64 << 20)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the command line says and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command, err := parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "poolgen: %v\nRun 'poolgen help' for usage.\n", err)
		return usage
	}
	if err := command.run(ctx, stdout, stderr); err != nil {
		if !errors.Is(err, errFound) {
			fmt.Fprintln(stderr, err)
		}
		return found
	}
	return fine
}

// run runs the command.
func (c command) run(ctx context.Context, stdout, stderr io.Writer) error {
	switch c.verb {
	case "help":
		text := help
		if c.topic == features {
			text = featureTable()
		}
		_, err := io.WriteString(stdout, text)
		return err
	case "version":
		_, err := fmt.Fprintln(stdout, version())
		return err
	case "check":
		return check(ctx, stdout, stderr, c)
	case "packages":
		return generatePackages(ctx, stdout, stderr, c.patterns)
	case "explain":
		return explain(ctx, stdout, stderr, c.requests, c.json)
	case "init":
		return initialise(ctx, stdout, c.requests[0])
	default:
		return generate(ctx, stdout, stderr, c.requests)
	}
}

// generate makes all pools before it writes the first one.
func generate(ctx context.Context, stdout, stderr io.Writer, requests []generator.Request) error {
	var files []*generator.File
	var errs []error
	for _, request := range requests {
		file, err := generator.Generate(ctx, request)
		files, errs = append(files, file), append(errs, err)
	}
	if err := generator.Join(errs); err != nil {
		return err
	}
	printNotes(stderr, files)
	written, err := generator.Emit(ctx, files)
	for _, path := range written {
		fmt.Fprintf(stdout, "poolgen: wrote %s\n", filepath.Base(path))
	}
	return err
}

// printNotes prints what users should know of their pools.
func printNotes(w io.Writer, files []*generator.File) {
	for _, file := range files {
		for _, note := range file.Notes {
			fmt.Fprintln(w, note)
		}
	}
}

// generatePackages does what the directives of packages say.
func generatePackages(ctx context.Context, stdout, stderr io.Writer, patterns []string) error {
	files, err := generator.Directives(ctx, ".", requests, patterns...)
	if err != nil {
		return err
	}
	printNotes(stderr, files)
	written, err := generator.Emit(ctx, files)
	for _, path := range written {
		fmt.Fprintf(stdout, "poolgen: wrote %s\n", generator.Shown(path))
	}
	switch {
	case err != nil:
		return err
	case len(files) == 0:
		_, err = fmt.Fprintf(stdout, "poolgen: no //go:generate line in %s runs poolgen -type=...\n", strings.Join(patterns, " "))
	case len(written) == 0:
		_, err = fmt.Fprintf(stdout, "poolgen: generated pools that are up to date: %d\n", len(files))
	}
	return err
}

package generator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Parser understands the arguments of poolgen in a directive. It returns no requests for what does not
// generate a pool, such as poolgen version.
type Parser func(args []string) ([]Request, error)

// order is a pool that somebody wants: a directive, or the header of a file that is there already.
type order struct {
	listed  *listing
	request Request
	output  string         // the path of the file
	pos     token.Position // of the directive; without one, what the header says is wanted
}

// deliver makes the pool. Its path is another one if the type is declared in a test.
func (o order) deliver(ctx context.Context) (*File, error) {
	request := o.request
	if !o.pos.IsValid() {
		request.Output = filepath.Base(o.output)
	}
	if _, err := request.place(o.listed.Dir); err != nil {
		return nil, err
	}
	pkg, err := read(ctx, o.listed, request, o.listed.Dir, o.output)
	if err != nil {
		return nil, o.positioned(err)
	}
	file, err := generate(pkg, request, o.output)
	return file, o.positioned(err)
}

// here says that the order is the one for its pool.
func (o order) here() string {
	return at(o.pos, "this directive makes the pool in %s now", filepath.Base(o.output)).Error()
}

// positioned lets an error that has no position of its own, since something is not there, have the
// directive's.
func (o order) positioned(err error) error {
	var gone nothingThere
	if errors.As(err, &gone) && o.pos.IsValid() {
		return at(o.pos, "%w", nothingThere{what: gone.what})
	}
	return err
}

// nothingThere is the error of a folder in which the connection type is not declared.
type nothingThere struct{ dir, what string }

func (e nothingThere) Error() string {
	if e.dir == "" {
		return e.what
	}
	return relative(e.dir) + ": " + e.what
}

// survey is what there is for poolgen in a package.
type survey struct {
	listed  *listing
	orders  []order   // of the directives
	outputs []present // the generated files that are there
	errs    []error   // of directives
}

// present is a generated file that is there.
type present struct {
	path   string
	text   []byte
	flags  string // in its header
	builds bool   // it is part of the package in this build
}

// successor is the order that makes the pool of a generated file in another file. The package can't have both,
// as it would have all names twice, so the file is left from before.
func (s *survey) successor(there present) (order, bool) {
	request, err := parseFlags(there.flags)
	if err != nil || !there.builds || s.ordered(there) {
		return order{}, false
	}
	i := slices.IndexFunc(s.orders, func(o order) bool { return o.request.Type == request.Type && o.request.prefix() == request.prefix() })
	if i < 0 {
		return order{}, false
	}
	return s.orders[i], true
}

// ordered reports whether a directive makes a generated file.
func (s *survey) ordered(there present) bool {
	return slices.ContainsFunc(s.orders, func(o order) bool {
		return o.output == there.path || o.request.Output == "" && testOutput(o.output) == there.path
	})
}

// pass keeps the files that have a successor from those that pools are made from.
func (s *survey) pass() {
	for _, there := range s.outputs {
		if _, ok := s.successor(there); ok {
			s.listed.GoFiles = slices.DeleteFunc(s.listed.GoFiles, func(name string) bool { return name == there.path })
		}
	}
}

// surveys lists the packages of the main modules that match the patterns, and surveys each. Packages that
// are not there are errors.
func surveys(ctx context.Context, dir string, parse Parser, patterns []string) (found []survey, errs []error) {
	pkgs, err := list(ctx, dir, patterns...)
	if err != nil {
		return nil, []error{fmt.Errorf("go list failed: %w", err)}
	}
	if len(pkgs) == 0 {
		return nil, []error{fmt.Errorf("no packages match %s: give folders of this module (./...)", strings.Join(patterns, " "))}
	}
	pkgs = slices.DeleteFunc(pkgs, func(p *listing) bool {
		if len(p.GoFiles) == 0 && len(p.IgnoredFiles) == 0 {
			if err := p.failure(); err != nil {
				errs = append(errs, advised(err.Error()))
			}
		}
		return p.Dir == "" || p.Module != nil && !p.Module.Main
	})
	return parallel(pkgs, func(p *listing) survey { return surveyOf(p, parse) }), errs
}

// surveyOf reads the files in a package's folder. Files for tests or for other platforms count, too: they
// may have directives, or be outputs.
func surveyOf(listed *listing, parse Parser) survey {
	s := survey{listed: listed}
	paths, err := filepath.Glob(filepath.Join(escape(listed.Dir), "*.go"))
	s.add(err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a broken link, or a folder
		}
		flags := headerFlags(text)
		if flags == "" && !bytes.Contains(text, []byte("//go:generate")) {
			continue
		}
		builds := slices.Contains(listed.GoFiles, path) || builds(listed.Dir, filepath.Base(path))
		if flags != "" {
			s.outputs = append(s.outputs, present{path, text, flags, builds})
		} else if builds {
			s.order(path, text, parse)
		}
	}
	s.pass()
	return s
}

// escape makes a pattern for filepath.Glob out of a path.
func escape(path string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path)
}

func (s *survey) add(err error) {
	if err != nil {
		s.errs = append(s.errs, err)
	}
}

// order takes the orders of a file's directives.
func (s *survey) order(path string, text []byte, parse Parser) {
	list, errs := directives(path, text)
	s.errs = append(s.errs, errs...)
	for _, d := range list {
		requests, err := parse(d.args)
		if err != nil {
			s.add(at(d.pos, "poolgen %s: %w", strings.Join(d.args, " "), err))
		}
		for _, request := range requests {
			o := order{s.listed, request, request.output(s.listed.Dir), d.pos}
			i := slices.IndexFunc(s.orders, func(other order) bool { return other.output == o.output })
			if i < 0 {
				s.orders = append(s.orders, o)
			} else if other := s.orders[i]; other.request.flags() != request.flags() { // else it does no harm
				s.add(at(d.pos, "%s is wanted for another pool, too (%w); give one of them another -output", filepath.Base(o.output), at(other.pos, "here")))
			}
		}
	}
}

// Directives makes all pools for which the packages that match the patterns have a //go:generate line, in
// this process. It writes nothing.
func Directives(ctx context.Context, dir string, parse Parser, patterns ...string) ([]*File, error) {
	list, errs := surveys(ctx, dir, parse, patterns)
	var orders []order
	for _, s := range list {
		orders, errs = append(orders, s.orders...), append(errs, s.errs...)
		for _, there := range s.outputs {
			if o, ok := s.successor(there); ok {
				errs = append(errs, fmt.Errorf("%s: %s; remove this file", relative(there.path), o.here()))
			}
		}
	}
	type result struct {
		file *File
		err  error
	}
	var files []*File
	for _, r := range parallel(orders, func(o order) result {
		file, err := o.deliver(ctx)
		return result{file, err}
	}) {
		files, errs = append(files, r.file), append(errs, r.err)
	}
	errs = append(errs, ctx.Err())
	return files, Join(errs)
}

// Join joins errors, each text once: what is wrong with a package is wrong for each of its pools.
func Join(errs []error) error {
	seen := map[string]bool{}
	return joined(slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || seen[err.Error()] {
			return true
		}
		seen[err.Error()] = true
		return false
	}))
}

// parallel does the same with all items, on all processors, and returns the results in the items' order.
func parallel[T, R any](items []T, do func(T) R) []R {
	results := make([]R, len(items))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(len(items), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := range next {
				results[i] = do(items[i])
			}
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

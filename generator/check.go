package generator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
)

// Stale is a generated file that is not what poolgen would generate now.
type Stale struct {
	Path string
	Diff []byte // from the file to what it should be, as a unified diff
}

// Verify generates all pools in the packages that match the patterns again, in memory, from the flags in
// their headers, and returns those that have changed. The error joins what kept others from being generated.
func Verify(ctx context.Context, dir string, patterns ...string) (checked int, stale []Stale, err error) {
	pkgs, err := list(ctx, dir, patterns...)
	if err != nil {
		return 0, nil, fmt.Errorf("go list failed: %w", err)
	}
	var errs []error
	for _, listed := range pkgs {
		files := slices.Concat(listed.GoFiles, listed.IgnoredFiles)
		for _, err := range listed.Errors {
			if len(files) == 0 {
				errs = append(errs, errors.New(err.Msg))
			}
		}
		if len(files) == 0 {
			continue
		}
		dir := filepath.Dir(files[0])
		outputs, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return checked, stale, err
		}
		for _, path := range outputs {
			old, err := os.ReadFile(path)
			if err != nil || headerFlags(old) == "" {
				continue
			}
			checked++
			file, err := again(ctx, path, headerFlags(old))
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: can't be generated again: %w", relative(path), err))
			} else if name := filepath.ToSlash(relative(path)); string(file.Text) != string(old) {
				stale = append(stale, Stale{path, diff.Diff("a/"+name, old, "b/"+name, file.Text)})
			}
		}
	}
	return checked, stale, joined(errs)
}

// again generates the file at path as its header says.
func again(ctx context.Context, path, flags string) (*File, error) {
	request, err := parseFlags(flags)
	if err != nil {
		return nil, err
	}
	request.Dir, request.Output = filepath.Dir(path), filepath.Base(path)
	return Generate(ctx, request)
}

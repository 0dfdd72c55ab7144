package generator

import (
	"errors"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
)

// at returns an error that begins with a position, as the compiler's do, if there is one.
func at(pos token.Position, format string, args ...any) error {
	if !pos.IsValid() {
		return fmt.Errorf(format, args...)
	}
	pos.Filename = relative(pos.Filename)
	return fmt.Errorf("%s: %w", pos, fmt.Errorf(format, args...))
}

// relative is how a path is shown: from the current folder if that makes it shorter.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

// Shown is how messages show a path: from the current folder if that makes it shorter.
func Shown(path string) string { return filepath.ToSlash(relative(path)) }

// joined collects errors, of which each is a diagnostic of its own.
func joined(errs []error) error { return errors.Join(errs...) }

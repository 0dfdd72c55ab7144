package generator

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Inspect finds out what the pool in a generated file is for: what its header asks for, and what the connection type
// offers now.
func Inspect(ctx context.Context, path string) (*Connection, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	request, err := parseFlags(headerFlags(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", relative(path), err)
	}
	request.Dir, request.Output = filepath.Dir(path), filepath.Base(path)
	dir, err := filepath.Abs(request.Dir)
	if err != nil {
		return nil, err
	}
	pkg, err := load(ctx, request, dir, request.output(dir))
	if err != nil {
		return nil, err
	}
	return resolve(pkg, request)
}

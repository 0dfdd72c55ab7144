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
	pkg, _, err := prepare(ctx, request)
	if err != nil {
		return nil, err
	}
	return resolve(pkg, request)
}

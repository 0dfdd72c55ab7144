// Package generator makes connection pools: it loads the package of a connection type, resolves what the
// type offers to a pool, specialises the template to it, and emits the file. Each of these steps has a file,
// and takes the value that the one before has made.
package generator

import (
	"context"
	"path/filepath"
	"strings"
)

// File is a generated file that has not been written yet.
type File struct {
	Path string
	Text []byte
}

// Generate makes the pool that the request asks for. It writes nothing.
func Generate(ctx context.Context, request Request) (*File, error) {
	if err := request.Validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(request.Dir)
	if err != nil {
		return nil, err
	}
	output := request.output(dir)
	if err := (&File{Path: output}).mayReplace(); err != nil {
		return nil, err
	}
	pkg, err := load(ctx, dir, output)
	if err != nil {
		return nil, err
	}
	return generate(pkg, request, output)
}

// generate is Generate for a package that is loaded.
func generate(pkg *Package, request Request, output string) (*File, error) {
	connection, err := resolve(pkg, request)
	if err != nil {
		return nil, err
	}
	text, err := specialise(connection, request)
	if err != nil {
		return nil, err
	}
	return &File{Path: output, Text: text}, nil
}

// output is the path of the file that the request asks for: by default beside the type's, named after it.
func (r Request) output(dir string) string {
	name := r.Output
	if name == "" {
		prefix := r.Prefix
		if prefix == "" {
			prefix = r.Type
		}
		name = strings.ToLower(prefix) + "_pool.go"
	}
	return absolute(dir, name)
}

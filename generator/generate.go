// Package generator makes connection pools: it loads the package of a connection type, resolves what the
// type offers to a pool, specialises the template to it, and emits the file. Each of these steps has a file,
// and takes the value that the one before has made.
package generator

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// File is a generated file that has not been written yet.
type File struct {
	Path  string
	Text  []byte
	Notes []error // what the user should know
}

// Generate makes the pool that the request asks for. It writes nothing.
func Generate(ctx context.Context, request Request) (*File, error) {
	pkg, output, err := prepare(ctx, request)
	if err != nil {
		return nil, err
	}
	return generate(pkg, request, output)
}

// place is the path of the output, if the request is sound and there is nothing that may not be replaced.
func (r Request) place(dir string) (string, error) {
	if err := r.Validate(); err != nil {
		return "", err
	}
	output := r.output(dir)
	if filepath.Dir(output) != dir {
		return "", fmt.Errorf("-output=%q: not in the folder of the package, %s: the pool has to be beside its connection type", r.Output, dir)
	}
	return output, (&File{Path: output}).mayReplace()
}

// prepare loads the package of the request, for an output that may be written.
func prepare(ctx context.Context, request Request) (pkg *Package, output string, err error) {
	dir, err := filepath.Abs(request.Dir)
	if err != nil {
		return nil, "", err
	}
	if output, err = request.place(dir); err != nil {
		return nil, "", err
	}
	pkg, err = load(ctx, request, dir, output)
	return pkg, output, err
}

// generate is Generate for a package that is loaded.
func generate(pkg *Package, request Request, output string) (*File, error) {
	connection, err := resolve(pkg, request)
	if err != nil {
		return nil, err
	}
	connection.Ordered = pkg.ordered(request.Type)
	return connection.render(request, output)
}

// render makes the file with the pool of a connection.
func (c *Connection) render(request Request, output string) (*File, error) {
	if c.Tests && request.Output == "" {
		output = testOutput(output)
	}
	if test := strings.HasSuffix(output, "_test.go"); test != c.Tests {
		return nil, at(c.Pos, "%s is declared in %s, so the pool can't be in %s; give another -output", request.Type,
			map[bool]string{true: "a test", false: "a file that is not a test"}[c.Tests], filepath.Base(output))
	}
	text, err := specialise(c, request)
	if err != nil {
		return nil, err
	}
	return &File{Path: output, Text: text, Notes: c.Notes}, nil
}

// testOutput is the path of the output, if the type is declared in a test.
func testOutput(output string) string {
	if strings.HasSuffix(output, "_test.go") {
		return output
	}
	return strings.TrimSuffix(output, ".go") + "_test.go"
}

// output is the path of the file that the request asks for: by default beside the type's, named after it.
func (r Request) output(dir string) string {
	name := r.Output
	if name == "" {
		name = strings.ToLower(r.prefix()) + "_pool.go"
	}
	return absolute(dir, name)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/poolgen/poolgen/generator"
)

// parseInit understands the flags of init: those of generate, with -for instead of -type for the type of another package.
func parseInit(args []string) (command, error) {
	local := func(typ string) bool { return !strings.Contains(typ, ".") }
	foreign := false
	args = slices.Clone(args)
	for i, arg := range args {
		if name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); name == "for" && strings.HasPrefix(arg, "-") {
			if foreign = true; strings.Contains(arg, "=") {
				value = "=" + value
			}
			args[i] = "-type" + value
		}
	}
	c, err := parseGenerate(args)
	if err != nil || c.verb != "generate" {
		if foreign && err != nil {
			err = errors.New(strings.Replace(err.Error(), "-type=", "-for=", 1))
		}
		return c, err
	}
	c.verb = "init"
	request := c.requests[0]
	switch {
	case len(c.requests) > 1:
		return c, errors.New("init makes one file: run it once for each type")
	case request.Output != "":
		return c, errors.New("init names its file after the type, so -output is not for it: rename the file")
	case request.Observer != "" || request.Keyed != "":
		return c, errors.New("-observer and -keyed name types that exist: add them to the go:generate line when these do")
	case foreign && local(request.Type):
		return c, fmt.Errorf("-for=%s: not a type of another package: give one such as -for=pgx.Conn, or -type=%s for one of your own", request.Type, request.Type)
	case !foreign && !local(request.Type):
		return c, fmt.Errorf("-type=%s: not a type of this package: to pool one of another, use -for=%s", request.Type, request.Type)
	case !foreign && (len(request.Hooks) > 0 || strings.Contains(request.Type, "[")):
		return c, errors.New("init -type makes a type with hooks of its own: give it the name of the type only, and change what it makes")
	}
	return c, nil
}

// initialise writes a file to start from.
func initialise(ctx context.Context, stdout io.Writer, request generator.Request) error {
	file, err := generator.Init(ctx, request)
	if err != nil {
		return err
	}
	if err := generator.EmitNew(ctx, file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "poolgen: wrote %s; read it, change it, and run go generate\n", filepath.Base(file.Path))
	return err
}

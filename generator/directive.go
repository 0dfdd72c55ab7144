package generator

import (
	"bytes"
	"errors"
	"fmt"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// directive is a line of a Go file by which go generate runs poolgen.
type directive struct {
	pos  token.Position
	args []string // of poolgen
}

// directives finds the lines of a file that run poolgen. It reads them as go generate does, which looks at
// lines and not at Go: see cmd/go/internal/generate.
func directives(name string, text []byte) (list []directive, errs []error) {
	if !bytes.Contains(text, []byte("//go:generate")) {
		return nil, nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.PackageClauseOnly)
	if err != nil {
		return nil, nil // go generate, too, passes over files without a package clause
	}
	aliases := map[string][]string{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		command, ok := bytes.CutPrefix(line, []byte("//go:generate"))
		if !ok || !bytes.HasPrefix(command, []byte(" ")) && !bytes.HasPrefix(command, []byte("\t")) {
			continue
		}
		pos := token.Position{Filename: name, Line: number, Column: 1}
		words, err := splitWords(strings.TrimRight(string(command), "\r\n"))
		if err != nil {
			if strings.Contains(string(command), "poolgen") {
				errs = append(errs, at(pos, "go generate can't read this line: %w", err))
			}
			continue
		}
		if len(words) > 1 && words[0] == "-command" {
			aliases[words[1]] = words[2:]
			continue
		}
		if len(words) > 0 && aliases[words[0]] != nil {
			words = slices.Concat(aliases[words[0]], words[1:])
		}
		for i := range words {
			words[i] = os.Expand(words[i], func(variable string) string { return expand(variable, pos, file.Name.Name) })
		}
		if args, ok := poolgenArgs(words); ok {
			list = append(list, directive{pos, args})
		}
	}
	return list, errs
}

// splitWords splits a line into words, of which those in double quotes are Go strings.
func splitWords(line string) (words []string, err error) {
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		if line[0] != '"' {
			end := strings.IndexAny(line+" ", " \t")
			words, line = append(words, line[:end]), line[end:]
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return nil, errors.New("a quoted argument does not end, or is not a Go string")
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		if line = line[len(quoted):]; line != "" && line[0] != ' ' && line[0] != '\t' {
			return nil, fmt.Errorf("after the quoted argument %s there is no space", quoted)
		}
		words = append(words, word)
	}
	return words, nil
}

// expand is the value of a variable in a directive.
func expand(variable string, pos token.Position, pkg string) string {
	switch variable {
	case "GOFILE":
		return filepath.Base(pos.Filename)
	case "GOLINE":
		return strconv.Itoa(pos.Line)
	case "GOPACKAGE":
		return pkg
	case "GOOS":
		return build.Default.GOOS
	case "GOARCH":
		return build.Default.GOARCH
	case "DOLLAR":
		return "$"
	}
	return os.Getenv(variable)
}

// poolgenArgs returns the arguments that a command gives to poolgen, if it is poolgen that it runs: the
// command itself, at whatever path, or through go tool or go run, whose own flags may come before.
func poolgenArgs(words []string) (args []string, ok bool) {
	switch {
	case len(words) == 0:
		return nil, false
	case isPoolgen(words[0]):
		return words[1:], true
	case len(words) < 3 || words[0] != "go" || words[1] != "tool" && words[1] != "run":
		return nil, false
	}
	for i := 2; i < len(words); i++ {
		flag := strings.HasPrefix(words[i], "-")
		value := strings.HasPrefix(words[i-1], "-") && !strings.Contains(words[i-1], "=")
		switch {
		case !flag && isPoolgen(words[i]):
			return words[i+1:], true
		case !flag && !value:
			return nil, false
		}
	}
	return nil, false
}

// isPoolgen reports whether a command or the path of its package is poolgen's, with or without a version.
func isPoolgen(word string) bool {
	word, _, _ = strings.Cut(filepath.ToSlash(word), "@")
	return strings.TrimSuffix(path.Base(word), ".exe") == "poolgen"
}

// builds reports whether go generate and go build look at a file of a package. Of one that does not parse
// so far, they say so.
func builds(dir, name string) bool {
	context := build.Default
	context.BuildTags = append(slices.Clone(context.BuildTags), "generate")
	match, err := context.MatchFile(dir, name)
	return match || err != nil
}

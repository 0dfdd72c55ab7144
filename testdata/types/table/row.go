package main

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/poolgen/poolgen/generator"
)

// row is what the table says of one type.
type row struct {
	folder  string
	typ     string // with the name of its package
	path    string // of its package
	module  string // with the version, or what the package is part of
	flags   []string
	hooks   []string
	lines   int    // of code that the user had to write
	because string // why there are any
}

// describe makes the row for a generated file.
func describe(ctx context.Context, generated string) (row, error) {
	connection, err := generator.Inspect(ctx, generated)
	if err != nil {
		return row{}, err
	}
	// The package of the type is the first that the pool needs.
	r := row{folder: filepath.Dir(generated), typ: connection.Type, path: connection.Imports[0].Path}
	pool, err := os.ReadFile(generated)
	if err != nil {
		return r, err
	}
	_, header, _ := strings.Cut(string(pool), "poolgen ")
	header, _, _ = strings.Cut(header, ";")
	for flag := range strings.FieldsSeq(header) {
		r.flags = append(r.flags, "`"+flag+"`")
	}
	for _, kind := range generator.Kinds {
		if h := connection.Hooks[kind]; h != nil {
			r.hooks = append(r.hooks, fmt.Sprintf("%s `%s`", kind, h.Name))
		}
	}
	source := filepath.Join(r.folder, r.folder+".go")
	text, err := os.ReadFile(source)
	if err != nil {
		return r, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), source, text, parser.ParseComments|parser.ImportsOnly)
	if err != nil {
		return r, err
	}
	if r.lines = lines(text) - frame(text, file); r.lines > 0 {
		// The first sentence of the package's comment says what it is, the others why it takes code.
		_, r.because, _ = strings.Cut(strings.Join(strings.Fields(file.Doc.Text()), " "), ". ")
	}
	return r, nil
}

// lines counts those that hold a token that is not a comment.
func lines(text []byte) int {
	fset := token.NewFileSet()
	var s scanner.Scanner
	file := fset.AddFile("", -1, len(text))
	s.Init(file, text, nil, 0)
	seen := map[int]bool{}
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return len(seen)
		}
		if tok == token.SEMICOLON && literal == "\n" {
			continue
		}
		first := file.Line(pos)
		for i := range 1 + strings.Count(literal, "\n") {
			seen[first+i] = true
		}
	}
}

// frame counts the lines of the package clause and the imports.
func frame(text []byte, file *ast.File) int {
	n := lines(text[file.Package-file.FileStart : file.Name.End()-file.FileStart])
	for _, decl := range file.Decls {
		n += lines(text[decl.Pos()-file.FileStart : decl.End()-file.FileStart])
	}
	return n
}

// versions puts the modules of the types into the rows.
func versions(ctx context.Context, rows []row) error {
	args := []string{"list", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}} {{.Version}}{{else}}the standard library{{end}}"}
	for _, r := range rows {
		args = append(args, r.path)
	}
	out, err := exec.CommandContext(ctx, "go", args...).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	modules := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		modules[path] = module
	}
	for i := range rows {
		rows[i].module = modules[rows[i].path]
	}
	return nil
}

// table prints the rows.
func table(rows []row) []byte {
	var b bytes.Buffer
	b.WriteString("| type | of | flags | hooks | lines | why there are any |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| [`%s`](../testdata/types/%s) | %s | %s | %s | %d | %s |\n",
			r.typ, r.folder, r.module, strings.Join(r.flags, " "), strings.Join(r.hooks, ", "), r.lines, r.because)
	}
	free := 0
	for _, r := range rows {
		if r.lines == 0 {
			free++
		}
	}
	fmt.Fprintf(&b, "\n%d types, %d of which take no code.\n", len(rows), free)
	return b.Bytes()
}

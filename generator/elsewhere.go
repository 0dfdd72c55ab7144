package generator

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// elsewhere looks for a connection type that is not in the files that go build takes now: in those for other
// systems or tags, and in tests. If it finds it, it makes these files the package's, and reports so.
func (p *Package) elsewhere(listed *listing, request Request, output string) bool {
	ref, _ := parseReference(request.Type)
	if !ref.local() || p.types.Scope().Lookup(ref.Name) != nil {
		return false
	}
	tests, _ := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
	others := slices.Concat(listed.IgnoredFiles, tests)
	slices.Sort(others)
	files := p.declaring(slices.Compact(others), output)
	i := slices.IndexFunc(files, func(f *ast.File) bool { return declaresType(f, ref.Name) })
	if i < 0 {
		return false
	}
	home := files[i]
	p.tests = strings.HasSuffix(p.baseName(home), "_test.go")
	if strings.HasSuffix(home.Name.Name, "_test") && p.tests {
		p.files = nil
		p.path += "_test"
	}
	condition := p.condition(home)
	for _, file := range files {
		test := strings.HasSuffix(p.baseName(file), "_test.go")
		if file.Name.Name == home.Name.Name && (p.condition(file) == condition || p.condition(file) == "" && test) && (p.tests || !test) {
			p.files = append(p.files, file)
		}
	}
	return true
}

// testMethods are the methods that the tests of the package, which need not be read otherwise, seem to give a type.
func (p *Package) testMethods(typ string) map[string]bool {
	methods := map[string]bool{}
	method := regexp.MustCompile(`(?m)^func \((?:\w+ )?\*?` + typ + `(?:\[.*?\])?\) (\w+)\(`)
	tests, _ := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
	for _, name := range tests {
		text, _ := os.ReadFile(name) // one that can't be read stops the tests anyway
		for _, match := range method.FindAllSubmatch(text, -1) {
			methods[string(match[1])] = true
		}
	}
	return methods
}

// declaring parses files, but not the output, nor those that do not parse.
func (p *Package) declaring(names []string, output string) []*ast.File {
	var files []*ast.File
	for _, name := range names {
		if name = filepath.Clean(name); name == output || name == testOutput(output) && isGenerated(name) || filepath.Ext(name) != ".go" {
			continue
		}
		if file, err := parser.ParseFile(p.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution); err == nil {
			files = append(files, file)
		}
	}
	return files
}

// declaresType reports whether a file declares a type of that name.
func declaresType(file *ast.File, name string) bool {
	for _, decl := range file.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.TYPE {
			for _, spec := range gen.Specs {
				if spec.(*ast.TypeSpec).Name.Name == name {
					return true
				}
			}
		}
	}
	return false
}

// condition is the constraint of the builds that have a file, or "": what its go:build line says, and its name.
func (p *Package) condition(file *ast.File) string {
	var all constraint.Expr
	and := func(x constraint.Expr) {
		if all == nil {
			all = x
		} else {
			all = &constraint.AndExpr{X: all, Y: x}
		}
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if x, err := constraint.Parse(c.Text); err == nil && c.Pos() < file.Package && constraint.IsGoBuild(c.Text) {
				and(x)
			}
		}
	}
	for _, tag := range implied(p.baseName(file)) {
		and(&constraint.TagExpr{Tag: tag})
	}
	if all == nil {
		return ""
	}
	return all.String()
}

// conditionOf is the constraint of the builds that have a type of the package, or "" if all do. It may be declared
// once for each of several systems.
func (p *Package) conditionOf(name string, others []string) string {
	var conditions []string
	for _, file := range slices.Concat(p.files, p.mentioning(name, others)) {
		if declaresType(file, name) {
			c := p.condition(file)
			if c == "" {
				return ""
			}
			conditions = append(conditions, c)
		}
	}
	slices.Sort(conditions)
	conditions = slices.Compact(conditions)
	if len(conditions) < 2 {
		return strings.Join(conditions, "")
	}
	x, err := constraint.Parse("//go:build (" + strings.Join(conditions, ") || (") + ")")
	if err != nil {
		return ""
	}
	return x.String()
}

// mentioning parses those of the files that have the name in their text.
func (p *Package) mentioning(name string, others []string) []*ast.File {
	return p.declaring(slices.DeleteFunc(slices.Clone(others), func(other string) bool {
		text, err := os.ReadFile(other)
		return err != nil || !strings.Contains(string(text), name) || slices.ContainsFunc(p.files, func(f *ast.File) bool {
			return p.fset.Position(f.Package).Filename == other
		})
	}), "")
}

// systems and architectures are those that the name of a file may end in, as the go command knows them.
var (
	systems       = strings.Fields("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos")
	architectures = strings.Fields("386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le " +
		"ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm")
)

// implied are the tags that the name of a file implies, as in conn_linux_arm64_test.go.
func implied(name string) []string {
	parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(name, ".go"), "_test"), "_")[1:]
	n := len(parts)
	switch {
	case n >= 2 && slices.Contains(systems, parts[n-2]) && slices.Contains(architectures, parts[n-1]):
		return parts[n-2:]
	case n >= 1 && (slices.Contains(systems, parts[n-1]) || slices.Contains(architectures, parts[n-1])):
		return parts[n-1:]
	}
	return nil
}

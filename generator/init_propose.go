package generator

import (
	"errors"
	"fmt"
	"go/parser"
	"slices"
	"strings"
)

// proposal is what it takes to pool connections of another package's type.
type proposal struct {
	*resolver
	path     string // of that package
	chosen   []choice
	others   []choice        // that would do, or nearly
	config   config          // what create takes, if it needs a wrapper
	wrappers map[Kind]string // their texts
}

// choice is a function for a hook.
type choice struct {
	kind Kind
	candidate
}

// propose is a file that makes a pool of another package's type, with the request that makes the pool.
func (p *Package) propose(request Request, ref reference) ([]byte, Request, error) {
	pp, err := p.proposal(request, ref)
	if err != nil {
		return nil, request, err
	}
	for _, kind := range Kinds {
		if err := pp.choose(kind); err != nil {
			return nil, request, err
		}
	}
	p.files = p.files[:len(p.files)-1]
	return pp.file(request, ref)
}

// proposal finds the type, with a file that imports its package for the time being.
func (p *Package) proposal(request Request, ref reference) (*proposal, error) {
	found, err := p.find(ref)
	if err != nil {
		return nil, err
	}
	if found == p.path {
		return nil, fmt.Errorf("-for=%s: a type of this package: poolgen -type=%s makes its pool", ref, ref.Name)
	}
	if p.declared[found] == nil {
		if err := p.declare(found); err != nil {
			return nil, err
		}
	}
	if n := p.declared[found]; len(n.files) == 0 {
		return nil, unreadable(ref, found, n.err)
	}
	name := p.declared[found].name
	if !isName(name) {
		name = guessName(found)
	}
	request.Type = reference{Path: name, Name: ref.Name, Args: ref.Args}.String()
	text := fmt.Sprintf("package %s\n\nimport %s %q\n\nvar _ %s.%s\n", p.Name, name, found, name, ref.Name)
	file, err := parser.ParseFile(p.fset, "init.go", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("-for=%s: %w", ref, err)
	}
	p.files = append(p.files, file)
	p.check()
	if err := p.complete(request); err != nil {
		return nil, err
	}
	r, err := newResolver(p, request)
	if err != nil {
		return nil, errors.New(strings.Replace(err.Error(), "-type=", "-for=", 1))
	}
	return &proposal{resolver: r, path: found, wrappers: map[Kind]string{}, config: config{name: r.stem() + "Config"}}, nil
}

// unreadable is the error for a package whose declarations can't be read.
func unreadable(ref reference, path string, err error) error {
	why, _, _ := strings.Cut(fmt.Sprint(err), "; to add it")
	advice := "go get " + path
	if !strings.Contains(strings.Split(path, "/")[0], ".") {
		advice = "see go list std for the packages of the standard library, and go list ./... for those of this module"
	}
	return fmt.Errorf("-for=%s: package %s can't be read: %s; %s", ref, path, why, advice)
}

// stem is what a wrapper's name calls a connection, by which convention finds it: the type's name and its package's, which
// tell it from others of the same name.
func (r *resolver) stem() string { return upperFirst(r.request.ownPrefix()) }

// choose decides on the hook of a kind: what the user has named, or convention finds, or else the best of what may do.
func (p *proposal) choose(kind Kind) error {
	named := p.request.Hooks[kind]
	take, mention := p.proposals(kind)
	if kind == Create && named == "" {
		if take = p.makers(); len(take) == 0 {
			p.wrappers[Create] = p.unknownCreate()
		}
	} else {
		hook, err := p.hook(kind)
		var wrong misfit
		switch {
		case err != nil && (named != "" || !errors.As(err, &wrong)):
			return err
		case named == none:
			return nil
		case hook != nil:
			take = slices.Concat([]candidate{hook.candidate}, take)
		case kind == Close && len(take) == 0 && len(mention) > 0:
			take, mention = mention[:1], mention[1:] // by a wrapper: what is not closed stays open
		}
	}
	if len(take) > 0 {
		if err := p.take(kind, take[0]); err != nil {
			return err
		}
		mention = append(take[1:], mention...)
	}
	for _, c := range mention {
		p.others = append(p.others, choice{kind, c})
	}
	return nil
}

// take makes a function the hook, by a wrapper if it needs one.
func (p *proposal) take(kind Kind, c candidate) error {
	h, err := p.signature(kind, c)
	var wrong misfit
	if errors.As(err, &wrong) {
		cfg := &p.config
		if kind != Create {
			cfg = nil
		}
		p.wrappers[kind] = p.wrapperFor(kind, c, p.stem(), cfg)
	} else if err != nil {
		return err
	} else if _, err := p.use(h, c); err != nil {
		return nil // another pool context than that of create
	} else if kind == Create && guessName(p.path) != p.qualifier() {
		// Its path does not tell the name of the package, so that the file had better import it.
		p.wrappers[kind] = p.wrapperFor(kind, c, p.stem(), nil)
	}
	p.chosen = append(p.chosen, choice{kind, c})
	return nil
}

// unknownCreate is a create for a type that nothing in its package creates.
func (p *proposal) unknownCreate() string {
	return fmt.Sprintf("func new%s(ctx context.Context) (%s, error) {\n\treturn nil, errors.New(%q)\n}", p.stem(), p.pointer(), "TODO: create a "+p.request.Type)
}

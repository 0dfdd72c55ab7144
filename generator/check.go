package generator

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/format"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Status is what is wrong with a generated file, or nothing.
type Status string

// The statuses of generated files.
const (
	Current  Status = "current"  // what poolgen would write now
	Stale    Status = "stale"    // not what poolgen would write now
	Edited   Status = "edited"   // and it can be told that poolgen has never written it like that
	Missing  Status = "missing"  // a directive wants it, and it is not there
	Orphaned Status = "orphaned" // its type or its directive is gone, or a directive makes the same pool in another file
	Failed   Status = "failed"   // can't be generated
	Excluded Status = "excluded" // not checked, since build constraints keep it out of the package
)

// Finding is what there is to say about one generated file, or about one that should be there.
type Finding struct {
	File    string `json:"file"`    // its path from the current folder; "" if what is wrong concerns none
	Package string `json:"package"` // the import path
	Type    string `json:"type"`    // the connection type
	Status  Status `json:"status"`
	Message string `json:"message"` // "" for current
	Diff    string `json:"diff"`    // from what the file is to what it should be, as a unified diff
}

// Verify makes all pools in the packages that match the patterns again, in memory, as the directives say, or
// else as the headers of the files do. It returns a finding for each, in the order of packages and files.
func Verify(ctx context.Context, dir string, parse Parser, patterns ...string) ([]Finding, error) {
	found, errs := surveys(ctx, dir, parse, patterns)
	var findings []Finding
	for _, err := range errs {
		findings = append(findings, Finding{Status: Failed, Message: err.Error()})
	}
	var checks []func() Finding
	for _, s := range found {
		for _, err := range s.errs {
			findings = append(findings, Finding{Package: s.listed.PkgPath, Status: Failed, Message: err.Error()})
		}
		checks = append(checks, s.checks(ctx)...)
	}
	findings = append(findings, parallel(checks, func(check func() Finding) Finding { return check() })...)
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.File, b.File), cmp.Compare(a.Type, b.Type))
	})
	return findings, ctx.Err()
}

// checks are the checks of a package: of what the directives order, and of the other generated files.
func (s *survey) checks(ctx context.Context) (checks []func() Finding) {
	for _, o := range s.orders {
		checks = append(checks, func() Finding { return o.compare(ctx, s.outputs) })
	}
	for _, there := range s.outputs {
		if !s.ordered(there) {
			checks = append(checks, func() Finding { return s.unordered(ctx, there) })
		}
	}
	return checks
}

// unordered checks a generated file that no directive makes. That alone is nothing wrong, as a Makefile or
// somebody by hand may have run poolgen, unless a directive made it before, or makes the same pool in another file.
func (s *survey) unordered(ctx context.Context, there present) Finding {
	o := order{listed: s.listed, output: there.path}
	request, err := parseFlags(there.flags)
	if err != nil {
		return o.finding(Failed, fmt.Sprintf("%s: can't be generated again: %v", relative(there.path), err))
	}
	o.request = request
	if other, ok := s.successor(there); ok {
		return o.orphaned(there, other.here())
	}
	f := o.compare(ctx, []present{there})
	if there.builds && f.Status == Stale && strings.Contains(f.Diff, "\n-// "+licence+" "+orderedMark) {
		f = o.orphaned(there, "the //go:generate line that made it is gone")
		f.Message += ", or " + o.remedy() + " if it is to stay without one"
		return f
	}
	if !there.builds && f.Status != Current {
		return o.finding(Excluded, "not what this build would make of it, but build constraints keep it out of that; check with its GOOS or GOFLAGS=-tags=...")
	}
	return f
}

// compare makes the pool and compares it with the file that is there, if one of them is for it.
func (o order) compare(ctx context.Context, outputs []present) Finding {
	file, err := o.deliver(ctx)
	if err == nil {
		o.output = file.Path
	}
	i := slices.IndexFunc(outputs, func(there present) bool { return there.path == o.output })
	var gone nothingThere
	switch {
	case errors.As(err, &gone) && i >= 0:
		return o.orphaned(outputs[i], fmt.Sprintf("its type %s is gone", o.request.Type))
	case err != nil && !o.pos.IsValid():
		return o.finding(Failed, fmt.Sprintf("%s: can't be generated again: %v", relative(o.output), err))
	case err != nil:
		return o.finding(Failed, err.Error())
	case i < 0:
		f := o.finding(Missing, fmt.Sprintf("%v; run go generate", at(o.pos, "this directive makes it")))
		f.Diff = string(diff.Diff("/dev/null", nil, "b/"+f.File, file.Text))
		return f
	}
	there := outputs[i]
	old := bytes.ReplaceAll(there.text, []byte("\r\n"), []byte("\n")) // git may check files out so
	if bytes.Equal(old, file.Text) {
		return o.finding(Current, "")
	}
	f := o.finding(o.judge(old, file.Text))
	f.Diff = string(diff.Diff("a/"+f.File, old, "b/"+f.File, file.Text))
	return f
}

// orphaned is the finding of a file that is to be removed.
func (o order) orphaned(there present, why string) Finding {
	f := o.finding(Orphaned, why+"; remove this file")
	if o.pos.IsValid() {
		f.Message = at(o.pos, "%s; remove this directive and the file", why).Error()
	}
	f.Diff = string(diff.Diff("a/"+f.File, there.text, "/dev/null", nil))
	return f
}

// finding is a finding about what is ordered.
func (o order) finding(status Status, message string) Finding {
	return Finding{Shown(o.output), o.listed.PkgPath, o.request.Type, status, message, ""}
}

// conflict matches the marks that a merge leaves.
var conflict = regexp.MustCompile(`(?m)^(<<<<<<<|>>>>>>>) `)

// judge says why a file is not what poolgen would write. Without a history it can't be known in general
// whether the file has been edited or what it is made from: only that poolgen writes nothing that isn't
// formatted.
func (o order) judge(old, want []byte) (Status, string) {
	formatted, err := format.Source(old)
	switch was, is := headerFlags(old), headerFlags(want); {
	case conflict.Match(old):
		return Edited, "a merge has left conflicts in it; " + o.remedy()
	case err != nil:
		return Edited, "it does not parse, so it is not as poolgen has written it; " + o.remedy()
	case !bytes.Equal(formatted, old):
		return Edited, "it is not formatted, so it is not as poolgen has written it; " + o.remedy()
	case was != is && o.pos.IsValid():
		return Stale, fmt.Sprintf("%v; %s", at(o.pos, "this directive says %s, and the header of the file %s", is, was), o.remedy())
	}
	return Stale, "differs from what poolgen would write: what it is made from has changed, or poolgen, or the file; " + o.remedy()
}

// remedy is how to make the file again.
func (o order) remedy() string {
	if o.pos.IsValid() {
		return "run go generate"
	}
	command := []string{"run poolgen", o.request.flags()}
	if name := filepath.Base(o.output); name != filepath.Base(o.request.output("")) {
		command = append(command, "-output="+name)
	}
	if dir := Shown(filepath.Dir(o.output)); dir != "." {
		command = append(command, "in", dir)
	}
	return strings.Join(command, " ")
}

package generator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// decisions are what the compiler has said of inlining, by file:line of functions and file:line:column of calls.
type decisions struct {
	calls   map[string]bool   // that it has inlined
	refused map[string]string // why a function can't be inlined
}

// compile builds the package with the output in its place, which stays as it is, and returns what the compiler says of
// inlining. The package may not compile, or not be in this build.
func compile(ctx context.Context, p *Package, c *Connection, file *File) (*decisions, error) {
	temp, err := os.MkdirTemp("", "poolgen-explain-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	source, overlay := filepath.Join(temp, "pool.go"), filepath.Join(temp, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file.Path: source}})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(source, file.Text, 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return nil, err
	}
	verb := []string{"build"}
	if c.Tests {
		verb = []string{"test", "-c"}
	}
	build := exec.CommandContext(ctx, "go", append(verb, "-overlay="+overlay, "-gcflags=-m=2", "-o="+os.DevNull, ".")...)
	build.Dir = p.Dir
	build.Env = append(build.Environ(), "GOTOOLCHAIN=local")
	output, err := build.CombinedOutput()
	d := parseDecisions(output, file.Path)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("the package does not compile: %s", firstError(output))
	case d == nil:
		return nil, fmt.Errorf("the pool is not in this build, but in those with %s", c.Condition)
	}
	return d, nil
}

var (
	inlinedCall = regexp.MustCompile(`^(\S+?):(\d+):(\d+): inlining call to `)
	notInlined  = regexp.MustCompile(`^(\S+?):(\d+):\d+: cannot inline \S+: (.*)$`)
)

// parseDecisions reads what the compiler has printed; it returns nil if that has nothing about the file at path.
func parseDecisions(output []byte, path string) *decisions {
	d := &decisions{calls: map[string]bool{}, refused: map[string]string{}}
	seen := false
	for line := range strings.Lines(string(output)) {
		line = strings.TrimSpace(line)
		seen = seen || strings.Contains(line, filepath.Base(path)+":")
		if m := inlinedCall.FindStringSubmatch(line); m != nil {
			d.calls[filepath.Base(m[1])+":"+m[2]+":"+m[3]] = true
		} else if m := notInlined.FindStringSubmatch(line); m != nil {
			d.refused[filepath.Base(m[1])+":"+m[2]] = m[3]
		}
	}
	if !seen {
		return nil
	}
	return d
}

// inlined reports whether a call of a hook is inlined, or why it is not, if that is known: of functions of the same package
// the compiler says it.
func (d *decisions) inlined(call token.Position, h *Hook, fset *token.FileSet) (inlined *bool, why string) {
	yes := d.calls[fmt.Sprintf("%s:%d:%d", filepath.Base(call.Filename), call.Line, call.Column)]
	recv := h.candidate.sig.Recv()
	switch function := fset.Position(h.candidate.obj.Pos()); {
	case yes:
	case h.Variable:
		why = "called through a variable"
	case recv != nil && types.IsInterface(recv.Type()):
		why = "called through an interface"
	default:
		why = d.refused[fmt.Sprintf("%s:%d", filepath.Base(function.Filename), function.Line)]
	}
	return &yes, why
}

// firstError is the first message of a build that failed.
func firstError(output []byte) string {
	for line := range bytes.Lines(output) {
		if text := strings.TrimSpace(string(line)); text != "" && text[0] != '#' {
			return strings.TrimPrefix(text, "./")
		}
	}
	return "go build says nothing"
}

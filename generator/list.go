package generator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// listing is what the go command tells of a package.
type listing struct {
	Name         string
	PkgPath      string `json:"ImportPath"`
	Dir          string
	GoFiles      []string // with those that use cgo; the paths of files are absolute
	CgoFiles     []string
	IgnoredFiles []string `json:"IgnoredGoFiles"` // for other systems or tags
	InvalidFiles []string `json:"InvalidGoFiles"` // that do not parse, or are another package's
	Module       *struct {
		Main             bool
		GoMod, GoVersion string
	}
	Error *struct{ Err string } // why there is nothing, or not all
}

// listedFields are those of a listing.
const listedFields = "Name,ImportPath,Dir,GoFiles,CgoFiles,IgnoredGoFiles,InvalidGoFiles,Module,Error"

// list runs the go command for the packages that match the patterns: names, files and modules only, which
// takes neither a build nor the imports. It runs no download of a toolchain, and cgo neither: it only tells which files
// would be for that. (go/packages would run the go command twice, once to ask for its version, and that is what takes
// the time in a module with many dependencies.)
func list(ctx context.Context, dir string, patterns ...string) ([]*listing, error) {
	go prepareTemplate() // meanwhile
	args := append([]string{"list", "-e", "-find", "-json=" + listedFields, "-buildvcs=false", "--"}, patterns...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOTOOLCHAIN=local")
	if os.Getenv("GOGC") == "" {
		cmd.Env = append(cmd.Env, "GOGC=400") // a run is short, and its heap small; to collect it would take a tenth of the time
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, listError(err, stderr.String())
	}
	return readListings(out)
}

// listError is the error of a go command that has written why.
func listError(err error, stderr string) error {
	var lines []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "go: downloading ") {
			lines = append(lines, line)
		}
	}
	why := strings.TrimPrefix(strings.TrimSpace(strings.Join(lines, "")), "go: ")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: poolgen runs go list, so Go's folder bin has to be there", err)
	case why == "":
		return err
	}
	return advised(why)
}

// advised is an error of go list, with what to do about it where that does not say so.
func advised(message string) error {
	switch {
	case strings.Contains(message, "does not contain main module"), strings.Contains(message, "go.mod file not found"):
		message += "; run poolgen in a module, such as go mod init makes"
	case strings.Contains(message, "does not contain modules listed in go.work"):
		message += "; run poolgen in the folder of one of these, or give it that, as in ./folder/..."
	case strings.Contains(message, "GOTOOLCHAIN=local"):
		message += "; install that version of Go, or run go tool poolgen, which does"
	}
	return errors.New(message)
}

// readListings reads the output of go list, and puts it in order.
func readListings(out []byte) ([]*listing, error) {
	var pkgs []*listing
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(listing)
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("it prints no JSON: %w", err)
		}
		p.GoFiles = append(p.GoFiles, p.CgoFiles...)
		for _, files := range [][]string{p.GoFiles, p.IgnoredFiles, p.InvalidFiles} {
			for i, name := range files {
				files[i] = filepath.Join(p.Dir, name)
			}
		}
		pkgs = append(pkgs, p)
	}
	slices.SortStableFunc(pkgs, func(a, b *listing) int { return cmp.Compare(a.PkgPath, b.PkgPath) })
	return slices.CompactFunc(pkgs, func(a, b *listing) bool { return a.PkgPath == b.PkgPath }), nil
}

// all are the files that go build would take, whether they parse or not.
func (l *listing) all() []string {
	files := slices.Clone(l.GoFiles)
	for _, name := range l.InvalidFiles {
		if !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	return files
}

// failure is why there is nothing of a package, or not all of it.
func (l *listing) failure() error {
	if l.Error == nil {
		return nil
	}
	return errors.New(strings.TrimSpace(l.Error.Err))
}

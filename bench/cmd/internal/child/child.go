// Package child asks programs in processes of their own, which may die of the question or hang.
package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ErrHung is the error of a process that does not answer in time.
var ErrHung = errors.New("hangs")

// Failure is the error of a process that has ended without an answer.
type Failure struct {
	Err       error
	Complaint string // what it said
}

func (f *Failure) Error() string {
	first, _, _ := strings.Cut(strings.TrimSpace(f.Complaint), "\n")
	return fmt.Sprintf("%v: %s", f.Err, first)
}

func (f *Failure) Unwrap() error { return f.Err }

// Build builds a package of a module of its own.
func Build(ctx context.Context, module, pkg, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s can't be built: %w: %s", module, err, lines[len(lines)-1])
	}
	return nil
}

// Ask starts a process, and reads its answer as JSON.
func Ask(ctx context.Context, limit time.Duration, command []string, answer any) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(limited, command[0], command[1:]...)
	cmd.WaitDelay = time.Second
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return fmt.Errorf("%w: no answer within %v", ErrHung, limit)
	case err != nil:
		return &Failure{err, complaint.String()}
	}
	return json.Unmarshal(out, answer)
}

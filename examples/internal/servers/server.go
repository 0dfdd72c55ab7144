// Package servers does to real servers, and to the network before them, what may happen to both: they are killed, frozen
// and brought back, and answers are late, cut off or lost.
package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	probeTime = 50 * time.Millisecond // that a probe may take, and so how late a return may be noticed if one is lost
	probeRest = time.Millisecond      // between two probes
)

// ErrMissing says that scripts/services has not started the server.
var ErrMissing = errors.New("is not set: the server does not run")

// Server is a server that scripts/services has started.
type Server struct {
	Name    string // in scripts/services
	Address string // for programs: a socket, a URL or the like
	TCP     string // host and port, for a proxy
	script  string
	mending chan error // what comes of a command that was not waited for
}

// Find returns the server of that name, which is where the output of "scripts/services env" says. The script is where the
// repository's folder is, seen from here.
func Find(name, repository string) (*Server, error) {
	variable := "POOLGEN_" + strings.ToUpper(name)
	s := &Server{Name: name, Address: os.Getenv(variable), TCP: os.Getenv(variable + "_TCP"), script: repository + "/scripts/services"}
	if s.Address == "" || s.TCP == "" { // which only scripts/services sets: others have servers that must not be killed
		return nil, fmt.Errorf("%s_TCP %w", variable, ErrMissing)
	}
	return s, nil
}

// Kill ends the server as a crash would, with SIGKILL.
func (s *Server) Kill() error { return s.run("kill") }

// Freeze stops the server with SIGSTOP: it still accepts connections, as far as the kernel does that for it, and says
// nothing.
func (s *Server) Freeze() error { return s.run("freeze") }

// Start brings a killed server back. It returns as soon as the server has answered a probe, which is to open a connection of
// its own and ask something, and says when that was.
func (s *Server) Start(ctx context.Context, probe func(context.Context) error) (time.Time, error) {
	return s.mend(ctx, "start", probe)
}

// Thaw lets a frozen server go on, and returns like Start.
func (s *Server) Thaw(ctx context.Context, probe func(context.Context) error) (time.Time, error) {
	return s.mend(ctx, "thaw", probe)
}

// run runs a command of scripts/services on the server, after the one before. "start" and "thaw" do nothing to a server that runs.
func (s *Server) run(command string) error {
	if err := s.Settle(); err != nil {
		return err
	}
	return s.command(command)
}

func (s *Server) command(command string) error {
	out, err := exec.Command(s.script, command, s.Name).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s %s: %w: %s", s.script, command, s.Name, err, out)
	}
	return nil
}

// Settle waits until the script has noticed, too, that the server is back.
func (s *Server) Settle() error {
	if s.mending == nil {
		return nil
	}
	defer func() { s.mending = nil }()
	return <-s.mending
}

// mend probes the server while the command runs, which may take much longer to notice what it has done.
func (s *Server) mend(ctx context.Context, command string, probe func(context.Context) error) (time.Time, error) {
	if err := s.Settle(); err != nil {
		return time.Now(), err
	}
	mending := make(chan error, 1)
	go func() { mending <- s.command(command) }()
	for {
		err := probeOnce(ctx, probe)
		back := time.Now()
		if err == nil {
			s.mending = mending
			return back, nil
		}
		if ctx.Err() != nil {
			return back, fmt.Errorf("%s does not come back: %w", s.Name, errors.Join(err, <-mending))
		}
		time.Sleep(probeRest)
	}
}

func probeOnce(ctx context.Context, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	return probe(ctx)
}

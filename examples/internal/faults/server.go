package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// probeTime is how long a probe may take, and so how late a return may be noticed if one is lost.
const probeTime = 50 * time.Millisecond

// Server is a server that scripts/services has started.
type Server struct {
	Address string // for programs: a socket, a URL or the like
	TCP     string // host and port, for a proxy
	name    string
	script  string
}

// Find returns the server of that name: scripts/services env tells where it is. Whatever a test does to the server,
// it runs again when the test has ended.
func Find(t testing.TB, name string) *Server {
	t.Helper()
	variable := "POOLGEN_" + strings.ToUpper(name)
	s := &Server{Address: os.Getenv(variable), TCP: os.Getenv(variable + "_TCP"), name: name}
	if s.Address == "" || s.TCP == "" { // which only scripts/services sets: others have servers that must not be killed
		NotRun(t, variable+"_TCP names no server")
	}
	var err error
	s.script, err = filepath.Abs("../../scripts/services") // of the repository, seen from an example
	require.NoError(t, err)
	return s
}

// Kill ends the server as a crash would, with SIGKILL.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.harm(t, "kill", "start")
}

// Freeze stops the server with SIGSTOP: it still accepts connections, as far as the kernel does that for it, and
// says nothing.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	s.harm(t, "freeze", "thaw")
}

// Start brings a killed server back. It returns when the server has answered a probe, which is to open a connection of
// its own and ask something, and says when that was.
func (s *Server) Start(t testing.TB, probe func(context.Context) error) time.Time {
	t.Helper()
	return s.mend(t, "start", probe)
}

// Thaw lets a frozen server go on, and returns like Start.
func (s *Server) Thaw(t testing.TB, probe func(context.Context) error) time.Time {
	t.Helper()
	return s.mend(t, "thaw", probe)
}

func (s *Server) harm(t testing.TB, command, remedy string) {
	t.Helper()
	require.NoError(t, s.run(command))
	t.Cleanup(func() {
		if remedy == "thaw" { // of a server that was thawed, or killed since, there is nothing to be said
			_ = s.run(remedy)
			return
		}
		require.NoError(t, s.run(remedy))
	})
}

// mend probes the server while the command runs: that may take longer to notice what it has done.
func (s *Server) mend(t testing.TB, command string, probe func(context.Context) error) time.Time {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.run(command) }()
	var back time.Time
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), probeTime)
		defer cancel()
		err := probe(ctx)
		back = time.Now()
		return err == nil
	}, 20*time.Second, time.Millisecond, "the server does not come back")
	require.NoError(t, <-done)
	return back
}

func (s *Server) run(command string) error {
	out, err := exec.Command(s.script, command, s.name).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s %s: %w: %s", s.script, command, s.name, err, out)
	}
	return nil
}

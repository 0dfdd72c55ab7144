package servers

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
)

// processes returns those that the server has started: one for each connection, if it is of that kind.
func (s *Server) processes() (pids []int, err error) {
	file := os.Getenv("POOLGEN_" + strings.ToUpper(s.Name) + "_PID")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	server := strings.TrimSpace(string(text))
	list, err := os.ReadFile("/proc/" + server + "/task/" + server + "/children")
	for _, field := range strings.Fields(string(list)) {
		var pid int
		if _, err := fmt.Sscan(field, &pid); err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, err
}

// Processes counts them.
func (s *Server) Processes() (int, error) {
	pids, err := s.processes()
	return len(pids), err
}

// CutOne ends one of them, and with it its connection, if there is any.
func (s *Server) CutOne() error {
	pids, err := s.processes()
	if err != nil || len(pids) == 0 {
		return err
	}
	err = syscall.Kill(pids[rand.IntN(len(pids))], syscall.SIGKILL)
	if err == syscall.ESRCH { // it has just ended
		return nil
	}
	return err
}

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected messages in testdata with what poolgen prints")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"poolgen": main})
}

// TestScripts runs the scenarios in testdata. Beside testscript's own commands they have
//
//	exits N command...	the command ends with exit code N
//	sound [flags]		the generated pools are vetted and work, see there
//
// and the conditions [race], which holds where programs can be built with the race detector, [cgo], for which it takes
// the same, and [root]. A scenario without a go.mod gets one for the module example.com/app.
func TestScripts(t *testing.T) {
	environment := goEnvironment(t)
	testscript.Run(t, testscript.Params{
		Dir:                "../../testdata",
		UpdateScripts:      *update,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, environment...)
			mod := filepath.Join(env.WorkDir, "go.mod")
			if _, err := os.Stat(mod); err == nil {
				return nil
			}
			return os.WriteFile(mod, []byte("module example.com/app\n\ngo 1.25\n"), 0o644)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits, "sound": sound},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "race", "cgo":
				return canRace(), nil
			case "root":
				return os.Getuid() == 0, nil
			}
			return false, errors.New("unknown condition")
		},
	})
}

// goEnvironment lets the go command work in a script as it does here, but offline.
func goEnvironment(t *testing.T) []string {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOFLAGS"}
	out, err := exec.Command("go", append([]string{"env", "-json"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]string
	if err := json.Unmarshal(out, &values); err != nil {
		t.Fatal(err)
	}
	vars := []string{"HOME=" + os.Getenv("HOME"), "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local"}
	for _, name := range names {
		vars = append(vars, name+"="+values[name])
	}
	return vars
}

// canRace reports whether there is what the race detector needs: cgo, and so a C compiler.
func canRace() bool {
	out, err := exec.Command("go", "env", "CGO_ENABLED", "CC").Output()
	if err != nil {
		return false
	}
	values := strings.Fields(string(out))
	if len(values) < 2 || values[0] != "1" {
		return false
	}
	_, err = exec.LookPath(values[1])
	return err == nil
}

// exits runs a command and asserts its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N command...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

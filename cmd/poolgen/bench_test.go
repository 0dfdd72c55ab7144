package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkOneType generates one pool, as go generate does.
func BenchmarkOneType(b *testing.B) {
	poolgen := build(b)
	dir := filepath.Join(module(b, 1), "p0")
	compare(b, dir, []string{poolgen, "-type=Conn0"}, map[string][]string{"list": {"go", "list", "-find", "."}})
}

// BenchmarkFiftyPackages generates, and checks, a pool in each of 50 packages, in one process.
func BenchmarkFiftyPackages(b *testing.B) {
	poolgen := build(b)
	dir := module(b, 50)
	others := map[string][]string{
		"list": {"go", "list", "-find", "./..."},
		"one":  {poolgen, "./p0"},
	}
	b.Run("generate", func(b *testing.B) { compare(b, dir, []string{poolgen, "./..."}, others) })
	if out, err := in(dir, []string{poolgen, "./..."}).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	b.Run("check", func(b *testing.B) { compare(b, dir, []string{poolgen, "check"}, others) })
}

// build builds poolgen.
func build(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "poolgen.exe")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// module makes a module with n packages, each with a connection type of another name and with other hooks.
func module(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	hooks := []string{
		"\nfunc (c *Conn%[1]d) HealthCheck(ctx context.Context) error { return nil }\n",
		"\nfunc (c *Conn%[1]d) Close() error { return nil }\n",
		"\nfunc (c *Conn%[1]d) Reset() error { return nil }\n",
	}
	files := map[string]string{"go.mod": "module example.com/app\n\ngo 1.25\n"}
	for i := range n {
		text := "package p%[1]d\n\nimport \"context\"\n\n//go:generate poolgen -type=Conn%[1]d\n\ntype Conn%[1]d struct{ id int }\n\n" +
			"func NewConn%[1]d(ctx context.Context) (*Conn%[1]d, error) { return &Conn%[1]d{}, nil }\n"
		for bit, hook := range hooks {
			if i>>bit&1 == 1 {
				text += hook
			}
		}
		files[fmt.Sprintf("p%d/conn.go", i)] = fmt.Sprintf(text, i)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// in is a command to be run in a folder.
func in(dir string, args []string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOTOOLCHAIN=local")
	return cmd
}

// compare runs a command and others by turns, so that whatever else the machine does concerns all of them,
// and reports by what factor its median time exceeds theirs, and the processor time that it takes, which tells more
// on a machine that others use.
func compare(b *testing.B, dir string, args []string, others map[string][]string) {
	b.Helper()
	times := map[string][]time.Duration{}
	run := func(name string, args []string) (cpu time.Duration) {
		cmd, begun := in(dir, args), time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		times[name] = append(times[name], time.Since(begun))
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	var cpu time.Duration
	for b.Loop() {
		cpu += run("", args)
		b.StopTimer()
		for name, args := range others {
			run(name, args)
		}
		b.StartTimer()
	}
	median := func(name string) time.Duration {
		slices.Sort(times[name])
		return times[name][len(times[name])/2]
	}
	b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms/op")
	for name := range others {
		b.ReportMetric(float64(median(""))/float64(median(name)), name+"-ratio")
	}
}

//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
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

// BenchmarkHugeTree generates the pool of a type with hooks of its own, in a package that imports the Kubernetes client: with
// the build cache as it is, and with an empty one.
func BenchmarkHugeTree(b *testing.B) {
	poolgen := build(b)
	dir := b.TempDir()
	write(b, dir, map[string]string{"go.mod": "module example.com/app\n\ngo 1.25\n", "conn.go": kubernetes})
	if out, err := in(dir, []string{"go", "mod", "tidy"}).CombinedOutput(); err != nil {
		b.Skipf("the Kubernetes client can't be had: %v\n%s", err, out)
	}
	args, list := []string{poolgen, "-type=Conn"}, []string{"go", "list", "-find", "."}
	b.Run("warm", func(b *testing.B) { compare(b, dir, args, map[string][]string{"list": list}) })
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			b.Setenv("GOCACHE", b.TempDir())
			b.StartTimer()
			if out, err := in(dir, args).CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
		}
	})
}

const kubernetes = `package app

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

type Conn struct {
	set      *kubernetes.Clientset
	pods     *corev1.PodList
	informer cache.SharedIndexInformer
}

func NewConn(ctx context.Context, c *rest.Config) (*Conn, error) {
	set, err := kubernetes.NewForConfig(c)
	return &Conn{set: set}, err
}

func (c *Conn) Ping(ctx context.Context) error { return ctx.Err() }
func (c *Conn) Close() error                   { return nil }
`

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
	write(b, dir, files)
	return dir
}

// write writes files into a folder.
func write(b *testing.B, dir string, files map[string]string) {
	b.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// in is a command to be run in a folder.
func in(dir string, args []string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOTOOLCHAIN=local")
	return cmd
}

// compare runs a command and others by turns, so that whatever else the machine does concerns all of them. It reports by
// what factor its time exceeds theirs, as a median, and the same of the processor time, which tells more on a machine that
// others use; both are with the go commands that it runs. The peak is that of the largest process.
func compare(b *testing.B, dir string, args []string, others map[string][]string) {
	b.Helper()
	times, cpu := map[string][]float64{}, map[string][]float64{}
	var peak int64
	run := func(name string, args []string) {
		cmd, begun := in(dir, args), time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		times[name] = append(times[name], time.Since(begun).Seconds())
		state := cmd.ProcessState
		cpu[name] = append(cpu[name], (state.UserTime() + state.SystemTime()).Seconds())
		if usage, ok := state.SysUsage().(*syscall.Rusage); ok && name == "" {
			peak = max(peak, usage.Maxrss)
		}
	}
	for b.Loop() {
		run("", args)
		b.StopTimer()
		for name, args := range others {
			run(name, args)
		}
		b.StartTimer()
	}
	b.ReportMetric(1000*median(cpu[""]), "cpu-ms/op")
	if runtime.GOOS == "linux" { // which counts in KiB
		b.ReportMetric(float64(peak)/1024, "peak-MiB")
	}
	for name := range others {
		b.ReportMetric(median(times[""])/median(times[name]), name+"-ratio")
		b.ReportMetric(median(cpu[""])/median(cpu[name]), name+"-cpu-ratio")
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// Command cost measures what each group of features adds to a generated pool: lines, and time on the fast path as
// a ratio to the bare core in the same run. It writes docs/cost.md.
//
//	go run ./bench/cmd/cost
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolgen/poolgen/generator"
)

// variant is a pool with some groups.
type variant struct {
	name, adds string
	with       []string
	lines      int
	binary     string
	times      []float64 // nanoseconds of an acquire and release, one for each round
}

const connection = `package pool

import "context"

type Conn struct{ uses int }

func NewConn(ctx context.Context) (*Conn, error) { return new(Conn), nil }

func (c *Conn) NeedsHealthCheck() bool                { return c.uses < 0 }
func (c *Conn) HealthCheck(ctx context.Context) error { return nil }
func (c *Conn) Close() error                          { return nil }
`

const benchmark = `package pool

import (
	"context"
	"testing"
)

func BenchmarkAcquireRelease(b *testing.B) {
	ctx := context.Background()
	pool, err := NewConnPool(ConnPoolOptions{MaxSize: 4})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close(ctx)
	for b.Loop() {
		lease, err := pool.Acquire(ctx)
		if err != nil {
			b.Fatal(err)
		}
		lease.Release()
	}
}
`

func main() {
	log.SetFlags(0)
	log.SetPrefix("cost: ")
	rounds := flag.Int("rounds", 10, "how often each pool is measured")
	output := flag.String("o", "docs/cost.md", "the file to write; - for the standard output")
	flag.Parse()
	if err := run(context.Background(), *rounds, *output); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, rounds int, output string) error {
	dir, err := os.MkdirTemp("", "poolgen-cost")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	variants := variantsOf(generator.Groups)
	for i, v := range variants {
		fmt.Fprintf(os.Stderr, "\rbuilding %d of %d ", i+1, len(variants))
		if err := v.build(ctx, filepath.Join(dir, strconv.Itoa(i))); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
	}
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "\rround %d of %d    ", round+1, rounds)
		for _, v := range variants {
			if err := v.measure(ctx); err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	table := report(variants, rounds)
	if output == "-" {
		_, err = os.Stdout.WriteString(table)
		return err
	}
	return os.WriteFile(output, []byte(table), 0o644)
}

// variantsOf are the bare core, the core with each group alone, the default set, and everything.
func variantsOf(groups generator.GroupTable) []*variant {
	all := []*variant{{name: "none", adds: "the bare core", with: []string{"none"}}}
	for _, g := range groups {
		all = append(all, &variant{name: g.Name, adds: g.Adds, with: []string{"none", g.Name}})
	}
	return append(all,
		&variant{name: "default", adds: "the default set", with: []string{"default"}},
		&variant{name: "all", adds: "everything", with: []string{"all"}})
}

// build generates the pool in a module of its own and compiles its benchmark.
func (v *variant) build(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{"go.mod": "module example.com/pool\n\ngo 1.25\n", "conn.go": connection, "conn_test.go": benchmark} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	choice, err := generator.Groups.Choose(v.with, nil)
	if err != nil {
		return err
	}
	file, err := generator.Generate(ctx, generator.Request{Dir: dir, Type: "Conn", Groups: choice})
	if err != nil {
		return err
	}
	v.lines = strings.Count(string(file.Text), "\n")
	if err := os.WriteFile(filepath.Join(dir, "conn_pool.go"), file.Text, 0o644); err != nil {
		return err
	}
	v.binary = filepath.Join(dir, "pool.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", v.binary, ".")
	build.Dir, build.Env, build.Stderr = dir, append(os.Environ(), "GOWORK=off"), os.Stderr
	return build.Run()
}

var nanoseconds = regexp.MustCompile(`([0-9.]+) ns/op`)

// measure runs the benchmark once.
func (v *variant) measure(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, v.binary, "-test.bench=.", "-test.run=^$", "-test.benchtime=100ms").CombinedOutput()
	match := nanoseconds.FindSubmatch(out)
	if err != nil || match == nil {
		return fmt.Errorf("no measurement: %w\n%s", err, out)
	}
	ns, err := strconv.ParseFloat(string(match[1]), 64)
	v.times = append(v.times, ns)
	return err
}

func report(variants []*variant, rounds int) string {
	var b strings.Builder
	bare := variants[0]
	fmt.Fprintf(&b, "# What each group of features costs\n\n"+
		"Made by `go run ./bench/cmd/cost` on %s, %s, %s/%s, %d processors, for a type with create, needs-check, check\n"+
		"and close. Each row is the bare core with one group (and what that needs); the times are of one acquire and release of a warmed pool, medians\n"+
		"of %d interleaved rounds, and the ratio is that to the bare core in the same run.\n\n"+
		"| group | adds | lines | added | ns | ratio |\n|---|---|---:|---:|---:|---:|\n",
		time.Now().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds)
	for _, v := range variants {
		fmt.Fprintf(&b, "| `%s` | %s | %d | %+d | %.1f | %.2f |\n",
			v.name, v.adds, v.lines, v.lines-bare.lines, median(v.times), median(v.times)/median(bare.times))
	}
	return b.String()
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// conclude prints what must hold, writes the report if one is wanted, and returns an error if something does not hold.
func (s *soak) conclude() error {
	warmUp := s.played / 5
	trends := trends(s.sampler.samples, warmUp, s.played)
	fmt.Printf("%s\n\n%s\n%s", s.summary(), trendTable(trends), s.violationList())
	if s.report != "" {
		if err := s.write(trends, warmUp); err != nil {
			return err
		}
	}
	wrong := slices.Clone(s.ledger.violations)
	for _, t := range trends {
		if !t.flat() {
			wrong = append(wrong, t.name+" grows")
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("does not hold: %s", strings.Join(wrong, "; "))
	}
	return nil
}

func (s *soak) summary() string {
	failed := 0
	for _, n := range s.ledger.failed {
		failed += n
	}
	faults := 0
	for _, n := range s.weather.count {
		faults += n
	}
	return fmt.Sprintf("%d requests in %v, of which %d were answered; %d faults of servers and network, %d of hooks; %d pools opened and ended. "+
		"No call ended later than %v after its deadline, without the %v for which the machine kept the whole process from running.", s.ledger.answered+failed, s.played.Round(time.Second), s.ledger.answered, faults,
		s.ledger.mischief.Load(), s.ledger.ended.Load(), s.ledger.latest.Round(time.Millisecond), s.stalled.Round(time.Second/10))
}

func trendTable(trends []trend) string {
	var b strings.Builder
	fmt.Fprint(&b, "| | level | growth | of which certain | may grow | |\n|---|---:|---:|---:|---:|---|\n")
	for _, t := range trends {
		verdict := "flat"
		switch {
		case math.IsInf(t.bound, 1):
			verdict = "the race detector's"
		case !t.flat():
			verdict = "**grows**"
		}
		fmt.Fprintf(&b, "| %s | %.1f | %+.1f | %.1f | %.1f | %s |\n", t.name, t.median/t.unit, t.growth/t.unit, max(t.lowest, 0)/t.unit, t.bound/t.unit, verdict)
	}
	return b.String()
}

func (s *soak) violationList() string {
	if s.ledger.violation == 0 {
		return "Nothing was violated.\n"
	}
	return fmt.Sprintf("**%d violations**, the first of which are:\n\n- %s\n", s.ledger.violation, strings.Join(s.ledger.violations, "\n- "))
}

// write writes soak.md and its plots.
func (s *soak) write(trends []trend, warmUp time.Duration) error {
	var b bytes.Buffer
	s.head(&b)
	fmt.Fprintf(&b, "\n## What must hold\n\n%s\n\n%s\n", s.summary(), s.violationList())
	fmt.Fprintf(&b, "No answer reached another requester, no connection had two, none was closed twice or under its user. Each time a pool ended, and at the end of all,\n"+
		"every lease and every connection was accounted for, all places could be leased at the same time, the servers had no connection left when asked,\n"+
		"and the process no goroutine and no file. Each of these is a violation above if it does not hold.\n\n%s\n", trendTable(trends))
	fmt.Fprintf(&b, "Levels are compared after a warm-up of %v: what each falls back to, its lower decile, in each of %d windows, and through these the line of Theil and Sen.\n"+
		"Growth is from the first to the last window; what is certain of it (Kendall's test, p < 0.001) must not be above 0 while the growth is above what is allowed, a tenth of the level or\n"+
		"a few: a connection, goroutine or file that is lost every few minutes is noticed by that, and one alone by the count at the end. Memory is measured after a\n"+
		"garbage collection. Goroutines are those of pools and clients, without requests that are under way and without toxiproxy's.\n\n", warmUp.Round(time.Second), windows)
	for _, p := range plots {
		svg, err := p.draw(s.sampler.samples, warmUp)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.report, p.file), svg, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&b, "![%s](%s)\n\n", p.title, p.file)
	}
	s.faultTable(&b)
	s.errorTable(&b)
	return os.WriteFile(filepath.Join(s.report, "soak.md"), b.Bytes(), 0o644)
}

func (s *soak) head(b *bytes.Buffer) {
	fmt.Fprintf(b, "# Soak\n\nMade by `go run ./examples/soak %s` on %s. What it does is in [examples/soak](../examples/soak), how to run it in [testing.md](testing.md).\n\n",
		strings.Join(os.Args[1:], " "), s.begun.Format(time.DateOnly))
	fmt.Fprintf(b, "| | |\n|---|---|\n| machine | %s, %d cores, beside other work: load average %s when it began |\n| system | %s |\n| versions | %s %s/%s; %s |\n",
		firstMatch("/proc/cpuinfo", `(?m)^model name\s*: (.*)$`), runtime.NumCPU(), s.load, firstMatch("/proc/version", `^(\S+ version \S+)`),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, strings.Join(append(s.versions(), modules()...), ", "))
	fmt.Fprintf(b, "| load | %g requests per second at %d pools of %d places: lean (`-with=none`), usual (the default set and `-with=barging`, every other time in use), full (`-with=all`), keyed (`-with=all -keyed=string`), of each server one |\n",
		s.rate, len(s.pools), places)
	fmt.Fprintf(b, "| processor time | %.0f %% of a core, without the servers' |\n", 100*processorTime().Seconds()/s.played.Seconds())
}

func (s *soak) faultTable(b *bytes.Buffer) {
	fmt.Fprint(b, "## Faults\n\nRecovery is from the server's return until all four pools have answered a request that began after it, each of which is asked about every "+
		fmt.Sprintf("%.0f ms", 3.5*float64(len(s.pools))/s.rate*1000)+",\nwhile hooks go wrong and creates pause after failures. It is to take less than 5 s.\n\n"+
		"| fault | how often | recovery, median | longest |\n|---|---:|---:|---:|\n")
	for _, f := range faults {
		took := slices.Sorted(slices.Values(s.weather.took[f.name]))
		if len(took) == 0 {
			fmt.Fprintf(b, "| %s | %d | | |\n", f.name, s.weather.count[f.name])
			continue
		}
		fmt.Fprintf(b, "| %s | %d | %d ms | %d ms |\n", f.name, s.weather.count[f.name], took[len(took)/2].Milliseconds(), took[len(took)-1].Milliseconds())
	}
}

func (s *soak) errorTable(b *bytes.Buffer) {
	fmt.Fprint(b, "\n## Errors\n\nWhat requests failed for.\n\n| | how often | such as |\n|---|---:|---|\n")
	for _, kind := range kinds {
		if n := s.ledger.failed[kind.name]; n > 0 {
			example, _, _ := strings.Cut(s.ledger.examples[kind.name], "\n")
			fmt.Fprintf(b, "| %s | %d | `%s` |\n", kind.name, n, strings.NewReplacer("`", "'", "|", "/").Replace(example))
		}
	}
}

// versions asks the servers for theirs.
func (s *soak) versions() []string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	versions := map[string]string{}
	if w, err := connectPostgres(ctx, s.backends[0].TCP, application+"-aside"); err == nil {
		versions["PostgreSQL"] = w.conn.PgConn().ParameterStatus("server_version")
		_ = w.close(ctx)
	}
	if w, err := connectRedis(ctx, s.backends[1].TCP); err == nil {
		info, _ := w.do(ctx, "INFO", "server")
		if found := regexp.MustCompile(`redis_version:(\S+)`).FindStringSubmatch(info); found != nil {
			versions["Redis"] = found[1]
		}
		_ = w.close(ctx)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		all = append(all, name+" "+versions[name])
	}
	return all
}

// modules are the versions of the modules that do most of the work.
func modules() (all []string) {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return nil
	}
	for _, m := range info.Deps {
		if strings.Contains(m.Path, "/toxiproxy/") || strings.Contains(m.Path, "/pgx/") {
			all = append(all, m.Path+" "+m.Version)
		}
	}
	return all
}

func firstMatch(file, pattern string) string {
	text, err := os.ReadFile(file)
	if match := regexp.MustCompile(pattern).FindSubmatch(text); err == nil && match != nil {
		return strings.TrimSpace(string(match[1]))
	}
	return "unknown"
}

// processorTime is that of this process so far.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// lab is where mutations are tried.
type lab struct {
	work string        // a folder that has one for each
	long time.Duration // how long all tests may take
}

// outcome is what has come of a mutation.
type outcome struct {
	test string // that failed
	late bool   // it was not expected to
	took time.Duration
	err  error // why nothing is known
}

// try makes a mutation and has the tests run: all of them only if the pool has all the features that they need.
func (l *lab) try(m mutation) (o outcome) {
	begun := time.Now()
	defer func() { o.took = time.Since(begun) }()
	binary, err := l.build(m)
	if err != nil {
		o.err = err
		return o
	}
	defer os.RemoveAll(filepath.Dir(filepath.Dir(filepath.Dir(binary))))
	if o.test, o.err = test(binary, m.tests, 30*time.Second); o.test == "" && o.err == nil && m.without == "" {
		o.late = true
		o.test, o.err = test(binary, ".", l.long)
	}
	return o
}

// control sees whether the tests pass without any mutation, with all features and without those that a mutation goes
// without: else it proves nothing that they fail with one.
func (l *lab) control(chosen []mutation) error {
	patterns := map[string][]string{}
	for _, m := range chosen {
		patterns[m.without] = append(patterns[m.without], m.tests)
	}
	for without, tests := range patterns {
		binary, err := l.build(mutation{name: "control", without: without})
		if err != nil {
			return err
		}
		list, err := exec.Command(binary, "-test.list", ".").Output()
		if err != nil {
			return err
		}
		for _, pattern := range tests {
			if found, err := regexp.Match("(?m)^("+pattern+")", list); err != nil || !found {
				return fmt.Errorf("no test is called like %s", pattern)
			}
		}
		if failed, err := test(binary, strings.Join(tests, "|"), l.long); failed != "" || err != nil {
			return errors.Join(fmt.Errorf("without any mutation: %s", failed), err)
		}
		if err := os.RemoveAll(filepath.Join(l.work, "control")); err != nil {
			return err
		}
	}
	return nil
}

// build copies the pool, with the mutation, and builds its tests.
func (l *lab) build(m mutation) (binary string, err error) {
	root := filepath.Join(l.work, m.name)
	folder := filepath.Join(root, "templates", "pool")
	if err := os.CopyFS(folder, os.DirFS("templates/pool")); err != nil {
		return "", err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(root, name); err != nil {
			return "", err
		}
	}
	if m.without != "" {
		err = edit(filepath.Join(folder, "features.go"), func(source string) (string, error) { return reduce(source, m.without) })
	}
	if m.file != "" && err == nil {
		err = edit(filepath.Join(folder, m.file), m.apply)
	}
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "test", "-c", "-o", "pool.test", ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it does not build: %w\n%s", err, out)
	}
	return filepath.Join(folder, "pool.test"), nil
}

// edit changes a file.
func edit(path string, change func(string) (string, error)) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed, err := change(string(source))
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(changed), 0o644)
}

// copyFile copies a file of the module.
func copyFile(to, name string) error {
	content, err := fs.ReadFile(os.DirFS("."), name)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, name), content, 0o644)
}

// failed is what tells which test has: it failed, or it was under way when the program crashed or was ended.
var failed = regexp.MustCompile(`(?m)^--- FAIL: (\w+)|^\t(?:running tests:\n\t+)?(Test\w+) \(|\.(Test\w+)(?:\.func[\d.]+)?\(`)

// test runs the tests whose names are like a pattern until one fails, and returns its name.
func test(binary, pattern string, patience time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.run", pattern, "-test.short", "-test.failfast", "-test.timeout", patience.String())
	cmd.Dir = filepath.Dir(binary)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case !errors.As(err, &exit):
		return "", err
	}
	name := "the program crashed"
	if found := failed.FindSubmatch(out.Bytes()); found != nil {
		name = string(bytes.Join(found[1:], nil))
	}
	if strings.Contains(out.String(), "panic: test timed out") || ctx.Err() != nil {
		name += " (does not end)"
	}
	return name, nil
}

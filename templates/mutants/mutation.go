package main

import (
	"fmt"
	"regexp"
	"strings"
)

// mutation is a bug to put into the pool.
type mutation struct {
	name     string
	short    bool
	file     string
	tests    string // a pattern of those that are expected to notice
	without  string // features, separated by commas, that the pool does not have then
	old, new string // whole lines
}

// header begins a mutation of the list.
var header = regexp.MustCompile(`^@@ (short )?([a-z0-9-]+) (\w+\.go) (\S+)(?: without (\S+))?$`)

// parse reads the list: after each header come lines that begin as those of a diff do.
func parse(list string) (all []mutation, err error) {
	names := map[string]bool{}
	for i, line := range strings.Split(list, "\n") {
		if h := header.FindStringSubmatch(line); h != nil {
			if names[h[2]] {
				return nil, fmt.Errorf("mutations.diff:%d: there are two mutations %s", i+1, h[2])
			}
			names[h[2]] = true
			all = append(all, mutation{name: h[2], short: h[1] != "", file: h[3], tests: h[4], without: h[5]})
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if len(all) == 0 || !strings.ContainsRune(" -+", rune(line[0])) {
			return nil, fmt.Errorf("mutations.diff:%d: neither a header nor a line of a diff: %s", i+1, line)
		}
		m := &all[len(all)-1]
		if line[0] != '+' {
			m.old += line[1:] + "\n"
		}
		if line[0] != '-' {
			m.new += line[1:] + "\n"
		}
	}
	return all, nil
}

// reduce returns the source of features.go without some of them.
func reduce(source, features string) (string, error) {
	for _, name := range strings.Split(features, ",") {
		constant := regexp.MustCompile(`(?m)^(\t` + name + ` +=) true\b`)
		if len(constant.FindAllString(source, 2)) != 1 {
			return "", fmt.Errorf("features.go has no %s that is true", name)
		}
		source = constant.ReplaceAllString(source, "$1 false")
	}
	return source, nil
}

// apply returns the source with the mutation. The old lines must be there exactly once.
func (m mutation) apply(source string) (string, error) {
	source = "\n" + source
	if n := strings.Count(source, "\n"+m.old); n != 1 || m.old == "" || m.old == m.new {
		return "", fmt.Errorf("%s can't be made: %s has its old lines %d times", m.name, m.file, n)
	}
	return strings.Replace(source, "\n"+m.old, "\n"+m.new, 1)[1:], nil
}

package generator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Group is a part of the pool that one may choose to have or not.
type Group struct {
	Name    string
	Feature string   // the constant in templates/pool/features.go that it switches
	Adds    string   // what a pool has with it, in one line
	Default bool     // it is in the set of those who choose nothing
	Needs   []string // the groups that it can't do without
	Hooks   []Kind   // it has no effect unless the type has one of these; with none listed, it has
	Moot    string   // or where it may have none all the same
}

// GroupTable are groups in the order in which they are listed everywhere.
type GroupTable []Group

// Groups are all groups there are. To add one, add its line here and its constant to features.go.
var Groups = GroupTable{
	{Name: "try", Feature: "hasTry", Default: true, Adds: "TryAcquire, which does not wait for a place"},
	{Name: "outside", Feature: "hasOutside", Default: true, Adds: "AcquireOrCreate, which creates outside the pool when all places are taken, and Fresh"},
	{Name: "with", Feature: "hasWith", Default: true, Adds: "With, which leases a connection for the time of a call"},
	{Name: "warm", Feature: "hasWarm", Default: true, Needs: []string{"stats"}, Adds: "Warm, which creates connections ahead"},
	{Name: "detach", Feature: "hasDetach", Default: true, Adds: "Detach, which takes a connection out of the pool for good"},
	{Name: "limits", Feature: "hasLimits", Default: true, Adds: "the options MaxWaiters and MaxConcurrentCreates"},
	{Name: "stats", Feature: "hasStats", Default: true, Adds: "Stats, and errors that say what the pool looked like"},
	{Name: "yield", Feature: "hasYield", Default: true, Adds: "releasers that make way for who gets their place, where that one would come late"},
	{Name: "demand", Feature: "hasDemand", Default: true, Adds: "as few creates as the queue needs, instead of one for each who waits"},
	{Name: "suspicion", Feature: "hasSuspicion", Default: true, Hooks: []Kind{Check}, Adds: "a check of all idle connections when one has failed its check"},
	{Name: "lifetime", Feature: "hasLifetime", Adds: "the options MaxLifetime and MaxLifetimeJitter"},
	{Name: "idle", Feature: "hasIdle", Adds: "the options IdleTimeout, MinIdle and MaxIdle"},
	{Name: "background", Feature: "hasBackground", Hooks: []Kind{Check}, Adds: "the option HealthCheckPeriod: idle connections are checked in the background"},
	{Name: "retry", Feature: "hasRetry", Adds: "the option CreateRetries: failed creates are tried again, with growing pauses"},
	{Name: "barging", Feature: "hasBarging", Needs: []string{"yield"}, Moot: "connections are reset by a goroutine of the pool", Adds: "the option Barging: for a bounded time, requesters may go before those who wait"},
	{Name: "breaker", Feature: "hasBreaker", Adds: "the options BreakAfter and BreakTime: no creates for a while after many failures"},
	{Name: "timeout", Feature: "hasTimeout", Adds: "the option AcquireTimeout"},
	{Name: "reset", Feature: "hasReset", Adds: "Reset, which retires all connections there are"},
	{Name: "resize", Feature: "hasResize", Moot: "the size is a constant", Adds: "Resize, which changes MaxSize"},
	{Name: "drain", Feature: "hasDrain", Adds: "Drain, which ends the pool when the last lease has ended"},
	{Name: "insert", Feature: "hasInsert", Adds: "Insert, which puts a connection made elsewhere into the pool"},
	{Name: "retain", Feature: "hasRetain", Adds: "Retain, which sifts the idle connections"},
	{Name: "age", Feature: "hasAge", Adds: "Created, Uses and IdleTime of a lease"},
	{Name: "string", Feature: "hasString", Needs: []string{"stats"}, Adds: "the statistics as text"},
	{Name: "histogram", Feature: "hasHistogram", Needs: []string{"stats"}, Adds: "how long requesters waited, as a histogram"},
	{Name: "holds", Feature: "hasHolds", Needs: []string{"stats"}, Adds: "how long leases lasted, as a histogram"},
	{Name: "trace", Feature: "hasTrace", Adds: "waits as regions of execution traces"},
	{Name: "leaks", Feature: "hasLeaks", Adds: "who holds leases, reports of those held for too long, and of those lost"},
}

// The sets that a choice may start from. The default set need not be named, and the header does not.
const (
	allGroups     = "all"
	noGroups      = none
	defaultGroups = "default"
)

// Choice says which groups a pool has: those of a base, and how they differ from it. The zero Choice is the
// default set. Any other comes from Choose, so it has no group that does not exist, or lacks what it needs.
type Choice struct {
	base           string   // all, none, or "" for the default set
	added, removed []string // what is not in the base, and what is, in the order of the table
}

// Choose makes the choice of the names that -with and -without give.
func (t GroupTable) Choose(with, without []string) (Choice, error) {
	base, with, err := splitBase(with)
	if err != nil {
		return Choice{}, err
	}
	if err := t.validate(with, without); err != nil {
		return Choice{}, err
	}
	with = t.withNeeds(with)
	c := Choice{base: base}
	for _, g := range t {
		based := c.has(g)
		switch {
		case slices.Contains(without, g.Name):
			if based {
				c.removed = append(c.removed, g.Name)
			}
		case slices.Contains(with, g.Name) && !based:
			c.added = append(c.added, g.Name)
		}
	}
	return c, t.validateNeeds(c)
}

// splitBase takes the name of a set to start from out of the names that -with gives.
func splitBase(with []string) (base string, groups []string, err error) {
	var bases []string
	for _, name := range with {
		switch name {
		case allGroups, noGroups, defaultGroups:
			bases = append(bases, name)
		default:
			groups = append(groups, name)
		}
	}
	switch {
	case len(bases) > 1:
		return "", nil, fmt.Errorf("-with: %s and %s are both sets to start from; give one of them", bases[0], bases[1])
	case len(bases) == 1 && bases[0] != defaultGroups:
		base = bases[0]
	}
	return base, groups, nil
}

// validate checks that the names are those of groups, and each is given once.
func (t GroupTable) validate(with, without []string) error {
	given := map[string]string{} // the flag that has given a name
	check := func(flag string, names []string) error {
		for _, name := range names {
			switch {
			case t.find(name) == nil:
				return t.unknown(flag, name)
			case given[name] == flag:
				return fmt.Errorf("%s: %s is given twice; give it once", flag, name)
			case given[name] != "":
				return fmt.Errorf("%s is given both in -with and in -without; decide for one", name)
			}
			given[name] = flag
		}
		return nil
	}
	return cmp.Or(check("-with", with), check("-without", without))
}

// unknown is the error for a name that is none of a group, with those that it may have been meant to be.
func (t GroupTable) unknown(flag, name string) error {
	const list = "'poolgen help features' lists all"
	switch name {
	case "":
		return fmt.Errorf("%s: a name is missing; give those of feature groups, separated by commas: %s", flag, list)
	case allGroups, noGroups, defaultGroups:
		return fmt.Errorf("%s=%s: %s is no feature group, but a set to start from, as in -with=%s", flag, name, name, noGroups)
	}
	names := []string{}
	if flag == "-with" {
		names = append(names, allGroups, noGroups, defaultGroups)
	}
	for _, g := range t {
		names = append(names, g.Name)
	}
	hint := ""
	if similar := near(name, names); len(similar) > 0 {
		hint = "did you mean " + strings.Join(similar, " or ") + "? "
	}
	return fmt.Errorf("%s=%q: no such feature group: %s%s", flag, name, hint, list)
}

// withNeeds adds to the names those of the groups that they need.
func (t GroupTable) withNeeds(names []string) []string {
	all := slices.Clone(names)
	for i := 0; i < len(all); i++ { // which grows
		for _, need := range t.find(all[i]).Needs {
			if !slices.Contains(all, need) {
				all = append(all, need)
			}
		}
	}
	return all
}

// validateNeeds checks that no group has been removed that another one needs.
func (t GroupTable) validateNeeds(c Choice) error {
	for _, g := range t {
		for _, need := range g.Needs {
			if c.has(g) && !c.has(*t.find(need)) {
				return fmt.Errorf("-without=%s: %s needs %s; keep it, or leave out both with -without=%s,%s", need, g.Name, need, need, g.Name)
			}
		}
	}
	return nil
}

// find returns the group with a name, or nil.
func (t GroupTable) find(name string) *Group {
	i := slices.IndexFunc(t, func(g Group) bool { return g.Name == name })
	if i < 0 {
		return nil
	}
	return &t[i]
}

// has reports whether a group has been chosen.
func (c Choice) has(g Group) bool {
	switch {
	case slices.Contains(c.removed, g.Name):
		return false
	case slices.Contains(c.added, g.Name):
		return true
	}
	return c.base == allGroups || c.base == "" && g.Default
}

// flags are the flags that make the choice, in their canonical form: none for the default set.
func (c Choice) flags() []string {
	var args []string
	with := c.added
	if c.base != "" {
		with = slices.Concat([]string{c.base}, with)
	}
	if len(with) > 0 {
		args = append(args, "-with="+strings.Join(with, ","))
	}
	if len(c.removed) > 0 {
		args = append(args, "-without="+strings.Join(c.removed, ","))
	}
	return args
}

// features are the values of the constants that the groups switch, for a type with these hooks.
func (t GroupTable) features(c Choice, hooks map[Kind]*Hook) features {
	f := features{}
	for _, g := range t {
		f[g.Feature] = t.effective(g, c, hooks)
	}
	return f
}

// effective reports whether a group has been chosen and has an effect on a type with these hooks. What needs
// another group has none without that one's.
func (t GroupTable) effective(g Group, c Choice, hooks map[Kind]*Hook) bool {
	hooked := slices.ContainsFunc(g.Hooks, func(kind Kind) bool { return hooks[kind] != nil })
	if !c.has(g) || len(g.Hooks) > 0 && !hooked {
		return false
	}
	return !slices.ContainsFunc(g.Needs, func(need string) bool { return !t.effective(*t.find(need), c, hooks) })
}

package generator

import (
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// some are groups of which most things can be shown that may hold between groups.
var some = GroupTable{
	{Name: "base", Feature: "hasBase", Default: true},
	{Name: "upper", Feature: "hasUpper", Default: true, Needs: []string{"base"}},
	{Name: "extra", Feature: "hasExtra"},
	{Name: "crown", Feature: "hasCrown", Needs: []string{"extra", "upper"}},
	{Name: "probe", Feature: "hasProbe", Hooks: []Kind{Check, Reset}},
}

func listed(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func TestAChoiceOfGroupsBecomesItsCanonicalFlags(t *testing.T) {
	for _, c := range []struct{ with, without, flags, on string }{
		{"", "", "", "base,upper"},
		{"default", "", "", "base,upper"},
		{"base", "", "", "base,upper"},
		{"none", "", "-with=none", ""},
		{"all", "", "-with=all", "base,upper,extra,crown,probe"},
		{"probe,extra", "", "-with=extra,probe", "base,upper,extra,probe"},
		{"default,probe", "", "-with=probe", "base,upper,probe"},
		{"extra,none", "", "-with=none,extra", "extra"},
		{"none,upper", "", "-with=none,base,upper", "base,upper"},
		{"none,crown", "", "-with=none,base,upper,extra,crown", "base,upper,extra,crown"},
		{"crown", "", "-with=extra,crown", "base,upper,extra,crown"},
		{"", "upper,base", "-without=base,upper", ""},
		{"", "extra", "", "base,upper"},
		{"probe", "upper", "-with=probe -without=upper", "base,probe"},
		{"all", "crown", "-with=all -without=crown", "base,upper,extra,probe"},
		{"none", "upper", "-with=none", ""},
	} {
		choice, err := some.Choose(listed(c.with), listed(c.without))
		require.NoError(t, err, "%+v", c)
		require.Equal(t, c.flags, strings.Join(choice.flags(), " "), "%+v", c)
		var on []string
		for _, g := range some {
			if choice.has(g) {
				on = append(on, g.Name)
			}
		}
		require.Equal(t, c.on, strings.Join(on, ","), "%+v", c)
	}
}

func TestAChoiceThatMakesNoSenseSaysWhy(t *testing.T) {
	for _, c := range []struct{ with, without, want string }{
		{"bsae", "", `-with="bsae": no such feature group: did you mean base? 'poolgen help features' lists all`},
		{"", "bsae", `-without="bsae": no such feature group: did you mean base? 'poolgen help features' lists all`},
		{"noen", "", `-with="noen": no such feature group: did you mean none? 'poolgen help features' lists all`},
		{"prope", "", `-with="prope": no such feature group: did you mean probe? 'poolgen help features' lists all`},
		{"bupper", "", `-with="bupper": no such feature group: did you mean upper? 'poolgen help features' lists all`},
		{"x\ny", "", `-with="x\ny": no such feature group: 'poolgen help features' lists all`},
		{"base,,upper", "", `-with: a name is missing; give those of feature groups, separated by commas: 'poolgen help features' lists all`},
		{"", ",", `-without: a name is missing; give those of feature groups, separated by commas: 'poolgen help features' lists all`},
		{"extra,extra", "", "-with: extra is given twice; give it once"},
		{"", "base,upper,base", "-without: base is given twice; give it once"},
		{"extra", "extra", "extra is given both in -with and in -without; decide for one"},
		{"none,all", "", "-with: none and all are both sets to start from; give one of them"},
		{"", "all", "-without=all: all is no feature group, but a set to start from, as in -with=none"},
		{"", "base", "-without=base: upper needs base; keep it, or leave out both with -without=base,upper"},
		{"none,upper", "base", "-without=base: upper needs base; keep it, or leave out both with -without=base,upper"},
		{"all", "extra", "-without=extra: crown needs extra; keep it, or leave out both with -without=extra,crown"},
	} {
		_, err := some.Choose(listed(c.with), listed(c.without))
		require.EqualError(t, err, c.want, "%+v", c)
	}
}

func TestAGroupHasNoEffectWithoutItsHookOrWhatItNeeds(t *testing.T) {
	all, err := some.Choose([]string{"all"}, nil)
	require.NoError(t, err)
	require.False(t, some.features(all, nil)["hasProbe"])
	require.True(t, some.features(all, map[Kind]*Hook{Reset: {}})["hasProbe"])
	require.True(t, some.features(all, nil)["hasCrown"])
	none, err := some.Choose([]string{"none"}, nil)
	require.NoError(t, err)
	require.False(t, some.features(none, map[Kind]*Hook{Reset: {}})["hasProbe"])

	needs := GroupTable{some[4], {Name: "deep", Feature: "hasDeep", Needs: []string{"probe"}}}
	all, err = needs.Choose([]string{"all"}, nil)
	require.NoError(t, err)
	require.False(t, needs.features(all, nil)["hasDeep"])
	require.True(t, needs.features(all, map[Kind]*Hook{Check: {}})["hasDeep"])
}

func TestTheTableOfGroupsIsSound(t *testing.T) {
	position := map[string]int{}
	for i, g := range Groups {
		require.True(t, token.IsIdentifier(strings.ReplaceAll(g.Name, "-", "_")), "%q must fit a flag", g.Name)
		require.NotContains(t, []string{allGroups, noGroups, defaultGroups}, g.Name)
		require.NotContains(t, position, g.Name, "it is there twice")
		require.NotEmpty(t, g.Adds, g.Name)
		position[g.Name] = i
	}
	for _, g := range Groups {
		for _, need := range g.Needs {
			require.Contains(t, position, need, "%s needs what is no group", g.Name)
			require.NotEqual(t, g.Name, need, "it needs itself")
			require.True(t, !g.Default || Groups.find(need).Default, "%s is in the default set, but %s, which it needs, is not", g.Name, need)
		}
		for _, kind := range g.Hooks {
			require.Contains(t, Kinds, kind, g.Name)
		}
	}
}

// Each constant of features.go is decided in one place: by what the type has, by one group, or by other constants.
func TestEachFeatureIsDecidedOnce(t *testing.T) {
	parsed, err := parseTemplate()
	require.NoError(t, err)
	all := parsed.features(&Connection{}, Request{})
	var constants, decided []string
	for _, c := range parsed.constants {
		if c.name != "size" { // which is a number
			constants = append(constants, c.name)
		}
		if _, known := all.eval(c.value); known {
			decided = append(decided, c.name)
		}
	}
	decided = slices.AppendSeq(decided, maps.Keys((&Connection{}).features(Request{})))
	for _, g := range Groups {
		decided = append(decided, g.Feature)
	}
	require.ElementsMatch(t, constants, decided)
}

// choices are every group alone, every one but one, none, and all; with pairs, every pair alone too.
func choices(pairs bool) [][2]string {
	all := [][2]string{{"none", ""}, {"all", ""}}
	for i, g := range Groups {
		all = append(all, [2]string{"none," + g.Name, ""})
		if _, err := Groups.Choose(nil, []string{g.Name}); err == nil {
			all = append(all, [2]string{"", g.Name})
		}
		for _, other := range Groups[:i] {
			if pairs {
				all = append(all, [2]string{"none," + other.Name + "," + g.Name, ""})
			}
		}
	}
	return all
}

// TestEveryChoiceOfGroupsIsSound generates pools of two types, one with all hooks and one with none but create.
func TestEveryChoiceOfGroupsIsSound(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	types := variants()
	for _, v := range []variant{types[0], types[len(types)-1]} {
		for _, c := range choices(!testing.Short()) {
			choice, err := Groups.Choose(listed(c[0]), listed(c[1]))
			require.NoError(t, err)
			v := v
			v.groups = choice
			t.Run(v.name+"/"+strings.Join(choice.flags(), " "), func(t *testing.T) {
				t.Parallel()
				v.examine(t, filepath.Join(root, t.Name()))
			})
		}
	}
}

func TestALeaseHidesACloseThatItsOwnMethodsDont(t *testing.T) {
	parsed, err := parseTemplate()
	require.NoError(t, err)
	for without, want := range map[string]bool{"": false, "detach": true} {
		choice, err := Groups.Choose(nil, listed(without))
		require.NoError(t, err)
		c := &Connection{Hooks: map[Kind]*Hook{Close: {Kind: Close, Name: "Detach", Method: true}}}
		require.Equal(t, want, parsed.features(c, Request{Groups: choice})["hidesClose"], "without %q", without)
	}
}

// Who releases to a reset has nothing that others could take: the group would be code that nobody calls.
func TestBargingIsLeftOutBesideAResetInTheBackground(t *testing.T) {
	t.Parallel()
	const reset = "func (c *MyConn) Reset(ctx context.Context) error { return ctx.Err() }\n"
	require.Contains(t, generated(t, "", "barging"), "Barging")
	require.NotContains(t, generated(t, reset, "barging"), "Barging")
	require.Equal(t, "without effect: connections are reset by a goroutine of the pool", Choice{added: []string{"barging"}}.why(*Groups.find("barging"), false))
}

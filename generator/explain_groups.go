package generator

import "slices"

// ExplainedGroup is a feature group, and what a pool has of it.
type ExplainedGroup struct {
	Name    string `json:"name"`
	In      bool   `json:"in"`      // the pool has it
	Why     string `json:"why"`     // it has it, or not
	Default bool   `json:"default"` // it is in the default set
	Adds    string `json:"adds"`    // what a pool has with it
}

// explainGroups tells of each feature group whether the pool has it.
func (t *template) explainGroups(c *Connection, r Request) []ExplainedGroup {
	f := t.features(c, r)
	var list []ExplainedGroup
	for _, g := range Groups {
		list = append(list, ExplainedGroup{g.Name, f[g.Feature], r.Groups.why(g, f[g.Feature]), g.Default, g.Adds})
	}
	return list
}

// why is the reason why a pool has a group or not.
func (c Choice) why(g Group, in bool) string {
	switch {
	case !c.has(g) && slices.Contains(c.removed, g.Name):
		return "-without=" + g.Name
	case !c.has(g) && c.base == noGroups:
		return "-with=" + noGroups
	case !c.has(g):
		return "not in the default set"
	case !in && len(g.Hooks) > 0:
		return "without effect: " + conditionOn(g.Hooks)
	case !in:
		return "without effect: " + g.Moot
	case slices.Contains(c.added, g.Name):
		return "-with=" + g.Name
	case c.base == allGroups:
		return "-with=" + allGroups
	}
	return "default"
}

// conditionOn says that a type has none of these hooks.
func conditionOn(kinds []Kind) string {
	text := "there is no"
	for i, kind := range kinds {
		if i > 0 {
			text += " or"
		}
		text += " " + string(kind)
	}
	return text + " hook"
}

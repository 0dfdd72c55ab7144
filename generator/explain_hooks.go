package generator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ExplainedHook is what a kind of hook has resolved to.
type ExplainedHook struct {
	Kind      Kind              `json:"kind"`
	Function  string            `json:"function"`  // "" if there is none
	Position  string            `json:"position"`  // of its declaration
	Signature string            `json:"signature"` // with func, without the receiver
	Rule      string            `json:"rule"`      // by which it was found; without a function, why there is none
	LookedFor []string          `json:"lookedFor"` // the names by convention, the first choice first
	Calls     []ExplainedCall   `json:"calls"`     // in the order of the file
	Passed    []ExplainedPassed `json:"passedOver"`
}

// ExplainedPassed is a function that has been passed over.
type ExplainedPassed struct {
	Function  string `json:"function"`
	Position  string `json:"position"`
	Signature string `json:"signature"`
	Why       string `json:"why"`
}

// explainHooks tells what each kind of hook has resolved to.
func (r *resolver) explainHooks(c *Connection) []ExplainedHook {
	var list []ExplainedHook
	for _, kind := range Kinds {
		e := ExplainedHook{Kind: kind, LookedFor: r.lookedFor(kind), Calls: []ExplainedCall{}, Passed: r.passedOver(kind, c.Hooks[kind])}
		switch h := c.Hooks[kind]; {
		case h != nil:
			e.Function, e.Position, e.Rule = r.display(h.candidate), r.where(h.candidate.obj.Pos()), h.Rule
			e.Signature = r.typeString(h.candidate.sig)
		case r.request.Hooks[kind] == none:
			e.Rule = "switched off by -" + string(kind) + "=none"
		default:
			e.Rule = "nothing is called so, and nothing is marked"
		}
		list = append(list, e)
	}
	return list
}

// lookedFor are the names that the hooks of a kind have by convention.
func (r *resolver) lookedFor(kind Kind) []string {
	var names []string
	for _, name := range append(slices.Clone(conventions[kind].methods), conventions[kind].functions...) {
		if verb, ok := strings.CutSuffix(name, "T"); ok {
			name = verb + r.stems()[0]
		}
		names = append(names, name)
	}
	return names
}

// passedOver are the functions that might be the hook of a kind, and are not: h is, or nothing.
func (r *resolver) passedOver(kind Kind, h *Hook) []ExplainedPassed {
	passed := []ExplainedPassed{}
	all := r.candidates()
	if kind == Create {
		all = slices.Concat(all, r.makers())
	}
	for _, c := range all {
		if h != nil && h.candidate.obj == c.obj {
			continue
		}
		if why := r.whyNot(kind, h, c); why != "" {
			passed = append(passed, ExplainedPassed{r.display(c), r.where(c.obj.Pos()), r.typeString(c.sig), why})
		}
	}
	return passed
}

// whyNot is the reason why a function is not the hook, or "" if nobody would think that it might be.
func (r *resolver) whyNot(kind Kind, h *Hook, c candidate) string {
	rank := r.rank(kind, c)
	marked := hasDirective(c.doc, kind)
	fit, err := r.signature(kind, c)
	concerned := r.concerns(kind, c)
	alike := h == nil && r.isAlike(kind, c)
	creates := kind == Create && err == nil && concerned && !r.isMethod(kind, c)
	if rank < 0 && !marked && !alike && !creates {
		return ""
	}
	var wrong misfit
	switch {
	case r.request.Hooks[kind] == none:
		return fmt.Sprintf("-%s=none switches it off", kind)
	case errors.As(err, &wrong):
		return wrong.why
	case err != nil || !concerned:
		return "it has nothing to do with " + r.request.Type
	case kind == Create && rank < 0 && !marked && r.request.Hooks[kind] != "":
		return fmt.Sprintf("-%s=%s would name it instead", kind, r.flagName(c))
	case kind == Create && rank < 0 && !marked:
		return fmt.Sprintf("it is not called as by convention; -%s=%s would name it", kind, r.flagName(c))
	case fit.context != nil && r.context != nil && r.typeString(fit.context) != r.typeString(r.context):
		return fmt.Sprintf("it takes %s, and the pool context is %s", r.typeString(fit.context), r.typeString(r.context))
	case alike:
		return fmt.Sprintf("it is not called %s; -%s=%s would name it", strings.Join(conventions[kind].methods, " or "), kind, r.flagName(c))
	case h == nil:
		return ""
	case r.request.Hooks[kind] != "":
		return "the flag comes first"
	case !marked && hasDirective(h.candidate.doc, kind):
		return "the directive comes first"
	}
	return r.display(h.candidate) + " comes first"
}

// rank is the index of the name in a function's convention, or -1.
func (r *resolver) rank(kind Kind, c candidate) int {
	names := conventions[kind]
	for _, stem := range r.stems() {
		for i, name := range append(slices.Clone(names.methods), names.functions...) {
			if r.isCalled(kind, c, stem, name) {
				return i
			}
		}
		if kind == Create && r.isCalled(kind, c, stem, "CreateT") {
			return 0
		}
	}
	return -1
}

// isAlike reports whether a method's name is all but one that hooks of the kind have by convention.
func (r *resolver) isAlike(kind Kind, c candidate) bool {
	return kind != Create && r.isMethod(kind, c) && slices.ContainsFunc(conventions[kind].methods, func(name string) bool {
		return name != c.name() && (strings.EqualFold(name, c.name()) || strings.EqualFold("Is"+name, c.name()) ||
			len(name) > 5 && distance(name, c.name()) <= 1)
	})
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/poolgen/poolgen/generator"
)

// parseExplain understands the flags of explain: those of generate, and -json.
func parseExplain(args []string) (command, error) {
	isJSON := func(arg string) bool { return arg == "-json" || arg == "--json" }
	c, err := parseGenerate(slices.DeleteFunc(slices.Clone(args), isJSON))
	if err == nil && c.verb == "generate" {
		c.verb, c.json = "explain", slices.ContainsFunc(args, isJSON)
	}
	return c, err
}

// explain prints what each pool is made of.
func explain(ctx context.Context, stdout, stderr io.Writer, requests []generator.Request, asJSON bool) error {
	explained := []*generator.Explanation{}
	var errs []error
	for _, request := range requests {
		e, err := generator.Explain(ctx, request)
		if errs = append(errs, err); err == nil {
			explained = append(explained, e)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(explained)
	}
	for i, e := range explained {
		for _, note := range e.Notes {
			fmt.Fprintln(stderr, note)
		}
		text := explanation(e)
		if i > 0 {
			text = "\n" + text
		}
		if _, err := io.WriteString(stdout, text); err != nil {
			return err
		}
	}
	return nil
}

// explanation is what explain prints of a pool.
func explanation(e *generator.Explanation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): a pool of %d lines in %s\n\n", e.Type, short(e.Position), e.Lines, e.Output)
	b.WriteString(summary(e))
	b.WriteString(hooks(e))
	b.WriteString(passedOver(e))
	b.WriteString(groups(e))
	b.WriteString(api(e))
	return b.String()
}

// table aligns rows of cells.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintf(w, "  %s\n", strings.Join(row, "\t"))
	}
	_ = w.Flush() // to memory
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.Join(lines, "\n") + "\n"
}

// summary is what a pool is in a few lines.
func summary(e *generator.Explanation) string {
	rows := [][]string{{"flags", e.Flags}}
	if e.Context != nil {
		rows = append(rows, []string{"context", fmt.Sprintf("%s, as %s takes it (%s)", e.Context.Type, e.Context.From, short(e.Context.Position))})
	} else {
		rows = append(rows, []string{"context", "none: no hook takes anything but the connection and a context.Context"})
	}
	if len(e.Observes) > 0 {
		rows = append(rows, []string{"observer", "is told " + strings.Join(e.Observes, ", ")})
	}
	var own, causes []string
	returns := " return, for errors.Is and errors.As"
	for _, err := range e.Errors {
		if err.Kind == "hook" {
			causes = append(causes, err.Name)
		} else {
			own = append(own, err.Name)
		}
	}
	if len(causes) == 1 {
		returns = strings.Replace(returns, "return", "returns", 1)
	}
	rows = append(rows, []string{"errors", strings.Join(own, ", ")},
		[]string{"", "what " + strings.Join(causes, " and ") + returns})
	return table(rows)
}

// hooks lists what the hooks have resolved to, and where they are called.
func hooks(e *generator.Explanation) string {
	rows := [][]string{{"HOOK", "FUNCTION", "DECLARED", "BY", "CALLED AS", "INLINED"}}
	var without, off []string
	for _, h := range e.Hooks {
		if h.Function == "" {
			if strings.HasPrefix(h.Rule, "switched off") {
				off = append(off, string(h.Kind))
			} else {
				without = append(without, string(h.Kind))
			}
			continue
		}
		head := []string{string(h.Kind), h.Function, short(h.Position), h.Rule}
		for _, call := range h.Calls {
			rows = append(rows, append(head, call.Code, inlined(call)))
			head = make([]string, len(head))
		}
		if len(h.Calls) == 0 {
			rows = append(rows, append(head, "not called by what these groups have"))
		}
	}
	text := "\n" + table(rows)
	if len(without) > 0 {
		text += "  without: " + strings.Join(without, ", ") + "\n"
	}
	if len(off) > 0 {
		text += "  switched off: " + strings.Join(off, ", ") + "\n"
	}
	if e.Build != "" {
		text += "  What is inlined is not known: " + e.Build + "\n"
	}
	return text
}

// inlined says what the compiler does with a call. Only on the fast path does it matter.
func inlined(call generator.ExplainedCall) string {
	switch {
	case !call.Fast:
		return "off the fast path"
	case call.Inlined == nil:
		return "?"
	case *call.Inlined:
		return "yes"
	case call.Why != "":
		return "no: " + call.Why
	}
	return "no"
}

// passedOver lists the functions that are no hooks.
func passedOver(e *generator.Explanation) string {
	var rows [][]string
	for _, h := range e.Hooks {
		for _, p := range h.Passed {
			rows = append(rows, []string{string(h.Kind), p.Function, short(p.Position), p.Why})
		}
	}
	if len(rows) == 0 {
		return ""
	}
	return "\n" + table(append([][]string{{"PASSED OVER", "FUNCTION", "DECLARED", "WHY"}}, rows...))
}

// groups lists the feature groups: those that the pool has, and in short those that it has not.
func groups(e *generator.Explanation) string {
	rows := [][]string{{"FEATURE", "WHY", "ADDS"}}
	var left []string
	for _, g := range e.Groups {
		if g.In || strings.HasPrefix(g.Why, "without effect") {
			rows = append(rows, []string{g.Name, g.Why, g.Adds})
		} else {
			left = append(left, g.Name)
		}
	}
	text := "\n"
	if len(rows) > 1 {
		text += table(rows)
	}
	head := "left out:"
	for _, line := range wrapped(strings.Fields(strings.Join(left, ", "))) {
		text += fmt.Sprintf("  %-9s %s\n", head, line)
		head = ""
	}
	return text
}

// wrapped are words in lines.
func wrapped(words []string) []string {
	const width = 100
	var lines []string
	line := ""
	for _, word := range words {
		if line != "" && len(line)+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// api lists the declarations that a user of the pool works with.
func api(e *generator.Explanation) string {
	var b strings.Builder
	b.WriteString("\nAPI\n")
	for i := 0; i < len(e.API); i++ {
		name := e.API[i]
		fmt.Fprintf(&b, "  %s\n", name.Text)
		var fields []generator.ExplainedName
		for ; i+1 < len(e.API) && e.API[i+1].Kind == "field"; i++ {
			fields = append(fields, e.API[i+1])
		}
		for _, line := range fieldLines(fields) {
			fmt.Fprintf(&b, "      %s\n", line)
		}
		if i+1 < len(e.API) && e.API[i+1].Kind == "embedded" {
			i++
			fmt.Fprintf(&b, "      and the methods and fields of %s\n", e.API[i].Text)
		}
	}
	return b.String()
}

// fieldLines are fields in few lines: those of one type that follow one another go together.
func fieldLines(fields []generator.ExplainedName) []string {
	var items []string
	for i, field := range fields {
		switch {
		case i+1 == len(fields):
			items = append(items, field.Text)
		case typeOf(fields[i+1]) == typeOf(field):
			items = append(items, field.Name+",")
		default:
			items = append(items, field.Text+";")
		}
	}
	return wrapped(items)
}

func typeOf(field generator.ExplainedName) string { return strings.TrimPrefix(field.Text, field.Name) }

// short is a position with no more than the last two elements of an absolute path.
func short(position string) string {
	dir, file := filepath.Split(position)
	if !filepath.IsAbs(dir) {
		return position
	}
	return filepath.ToSlash(filepath.Join(filepath.Base(dir), file))
}

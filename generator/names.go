package generator

import (
	"cmp"
	"go/ast"
	"slices"
	"strconv"
	"unicode"
)

func upperFirst(s string) string {
	r := []rune(s)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

// lowerFirst makes a name unexported: MyConn becomes myConn, and LDAPConn ldapConn.
func lowerFirst(s string) string {
	r := []rune(s)
	for i := range r {
		if i > 0 && (!unicode.IsUpper(r[i]) || i+1 < len(r) && !unicode.IsUpper(r[i+1])) {
			break
		}
		r[i] = unicode.ToLower(r[i])
	}
	return string(r)
}

// explicitName is the name that a file gives to the import with that path, or "".
func explicitName(file *ast.File, path string) string {
	for _, spec := range file.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p == path && spec.Name != nil {
			return spec.Name.Name
		}
	}
	return ""
}

// nearest is the name that is most like the given one, or "" if none is.
func nearest(name string, names []string) string {
	if all := near(name, names); len(all) > 0 {
		return all[0]
	}
	return ""
}

// didYouMean ends a message with the name that is most like the given one, if any is.
func didYouMean(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// near are the names that are like the given one, the most alike first.
func near(name string, names []string) []string {
	var alike []string
	for _, other := range names {
		if distance(name, other) <= len(name)/2 {
			alike = append(alike, other)
		}
	}
	slices.SortStableFunc(alike, func(a, b string) int { return cmp.Compare(distance(name, a), distance(name, b)) })
	return alike
}

// distance is the edit distance (Levenshtein) of two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

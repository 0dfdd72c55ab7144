package generator

import (
	"go/format"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// united is what becomes of declarations, laid out by gofmt.
func united(t *testing.T, text string) string {
	t.Helper()
	texts, err := unite([]string{text})
	require.NoError(t, err)
	formatted, err := format.Source([]byte(texts[0]))
	require.NoError(t, err, "%s", texts[0])
	return strings.TrimRight(string(formatted), "\n") + "\n"
}

func TestWhatIsMarkedGoesWhereItIsUsedOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to string }{
		"a statement": {`func (p *Pool) caller(a int) {
	p.open(a, 3)
	p.shut()
}

// open opens.
//
//poolgen:once // It opens.
func (q *Pool) open(b, times int) {
	if b > 0 { // really
		q.state.b = times
	}
}
`, `func (p *Pool) caller(a int) {
	// It opens.
	if a > 0 { // really
		p.state.b = 3
	}
	p.shut()
}
`},
		"what a function returns": {`func (p *Pool) caller() (n int, err error) {
	w := p.make()
	return p.wait(w)
}

//poolgen:once
func (p *Pool) make() *waiter {
	w := p.spare
	p.spare = nil
	return w
}

//poolgen:once
func (p *Pool) wait(w *waiter) (n int, err error) {
	if n = w.n; n == 0 {
		return 0, errNone
	}
	return n, err
}
`, `func (p *Pool) caller() (n int, err error) {
	w := p.spare
	p.spare = nil
	if n = w.n; n == 0 {
		return 0, errNone
	}
	return n, err
}
`},
		"an argument that has to be evaluated once": {`func caller() {
	open(make(chan int))
}

//poolgen:once
func open(c chan int) {
	go read(c)
	close(c)
}
`, `func caller() {
	c := make(chan int)
	go read(c)
	close(c)
}
`},
		"an expression": {`func caller(a int) bool { return !isOdd(a) && a*sum(a, 1) > 0 }

//poolgen:once
func isOdd(n int) bool { return n%2 == 1 }

//poolgen:once
func sum(a, b int) int { return a + b }
`, "func caller(a int) bool { return !(a%2 == 1) && a*(a+1) > 0 }\n"},
		"a constant": {`func caller() string { return "it is " + what }

// what it is.
//
//poolgen:once
const what = "good"
`, "func caller() string { return \"it is \" + \"good\" }\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.to, united(t, c.from))
		})
	}
}

func TestWhatWouldMeanSomethingElseStaysAFunction(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"two callers":                                     "func one() { f() }\nfunc two() { f() }\n//poolgen:once\nfunc f() { g() }\n",
		"a value":                                         "func one() { f(); later(f) }\n//poolgen:once\nfunc f() { g() }\n",
		"a goroutine":                                     "func one() { go f() }\n//poolgen:once\nfunc f() { g() }\n",
		"an expression's goroutine":                       "func one() { go f() }\n//poolgen:once\nfunc f() int { return g() }\n",
		"a deferred call in a statement":                  "func one() { f(); g() }\n//poolgen:once\nfunc f() { defer g() }\n",
		"a return in a statement":                         "func one() { f(); g() }\n//poolgen:once\nfunc f() { if x { return }; g() }\n",
		"a return within a closure":                       "func one() (n int) { h(func() int { return f() }); return 1 }\n//poolgen:once\nfunc f() (n int) { g(); return 1 }\n",
		"results of other names":                          "func one() (m int) { return f() }\n//poolgen:once\nfunc f() (n int) { g(); return }\n",
		"a variable of the caller":                        "func one() { x := 1; h(x); f() }\n//poolgen:once\nfunc f() { g(x) }\n",
		"a variable for the caller":                       "func one() { f(); h(x) }\n//poolgen:once\nfunc f() { x := 1; g(x) }\n",
		"an argument that a variable would hide":          "func one(x int) { f(x) }\n//poolgen:once\nfunc f(n int) { for x := range n { g(x, n) } }\n",
		"a parameter that changes":                        "func one(x int) { f(x); h(x) }\n//poolgen:once\nfunc f(n int) { n++; g(n) }\n",
		"a parameter of the argument's name that changes": "func one(x int) { f(x); h(x) }\n//poolgen:once\nfunc f(x int) { x++; g(x) }\n",
		"a part of a parameter that changes":              "func one(s S) { s.f(); h(s) }\n//poolgen:once\nfunc (t S) f() { t.n = 1; g(t) }\n",
		"a field that changes":                            "func (p *P) one() { p.f(p.n); h() }\n//poolgen:once\nfunc (p *P) f(n int) { p.n = 5; g(n) }\n",
		"a variable that changes later":                   "func one() { x := 1; f(x); x = 2 }\n//poolgen:once\nfunc f(n int) { go func() { g(n) }(); h() }\n",
		"a literal of another type":                       "func one() { f(1); h() }\n//poolgen:once\nfunc f(n int64) { x := n; g(x) }\n",
		"a result that is set":                            "func one() (n int) { n = 1; return f() }\n//poolgen:once\nfunc f() (n int) { g(); return n }\n",
		"results of other types":                          "func one() error { return f() }\n//poolgen:once\nfunc f() *E { g(); return nil }\n",
		"a name that is hidden in a part":                 "func one(x int) { f(); h(x) }\n//poolgen:once\nfunc f() { g(x); for x := range 3 { h(x) } }\n",
		"an addition":                                     "func one(x int) { x += f(); h(x) }\n//poolgen:once\nfunc f() int { g(); return 1 }\n",
		"a function that recovers":                        "func one() { f(); h() }\n//poolgen:once\nfunc f() { g(recover()) }\n",
		"a function that is not to be inlined":            "func one() { f(); h() }\n//go:noinline\n//poolgen:once\nfunc f() { g() }\n",
		"several values":                                  "func one() { a, b := f(); h(a, b) }\n//poolgen:once\nfunc f() (int, int) { g(); return 1, 2 }\n",
		"a condition":                                     "func one() { if x := f(); x { h() } }\n//poolgen:once\nfunc f() bool { g(); return true }\n",
		"two uses of a constant":                          "func one() { f(c, c) }\n//poolgen:once\nconst c = 1\n",
		"too long":                                        "func one() {" + strings.Repeat("g()\n", screen) + "f()\n}\n//poolgen:once\nfunc f() { g(); g() }\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, err := format.Source([]byte(strings.ReplaceAll(text, onceMark+"\n", "")))
			require.NoError(t, err)
			require.Equal(t, string(want), united(t, text))
		})
	}
}

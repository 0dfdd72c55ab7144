package generator

import (
	"go/types"
	"slices"
	"strings"
)

// synonyms are what others call the methods that are hooks, the first choice first. Convention does not know these names,
// as it would take any method that has one of them by chance: they are proposed, and whoever reads that decides.
var synonyms = map[Kind][]string{
	Check:  {"PingContext", "Noop", "NoOp", "IsAlive", "Alive", "IsConnectionOpen", "IsConnected", "Connected", "Heartbeat"},
	Close:  {"CloseNow", "Disconnect", "Quit", "Logout", "Unbind", "Shutdown", "Stop", "Terminate", "Release"},
	Reset:  {"ResetSession", "Rset", "Clear"},
	Broken: {"IsBroken", "Closed", "IsClosing", "IsDead", "Dead"},
}

// beginnings are how the names of further methods begin that may do, which are only mentioned.
var beginnings = map[Kind][]string{
	Check: {"Ping", "HealthCheck", "Check"},
	Close: {"Close"},
	Reset: {"Reset"},
}

// halves are methods that close one direction only.
var halves = []string{"CloseRead", "CloseWrite", "CloseSend"}

// proposals are the methods of the connection that may be a hook of the kind: those to take, the best first, and others.
func (r *resolver) proposals(kind Kind) (take, mention []candidate) {
	names := slices.Concat(conventions[kind].methods, synonyms[kind])
	for _, name := range names {
		for _, c := range r.candidates() {
			if c.name() == name && r.isMethod(kind, c) {
				if _, err := r.signature(kind, c); err == nil {
					take = append(take, c)
				} else {
					mention = append(mention, c)
				}
			}
		}
	}
	for _, c := range r.candidates() {
		if r.isMethod(kind, c) && !slices.Contains(names, c.name()) && begins(kind, c) {
			mention = append(mention, c)
		}
	}
	return take, mention
}

// begins reports whether a method is called as one that may do, and does something rather than tell who does.
func begins(kind Kind, c candidate) bool {
	for v := range c.sig.Results().Variables() {
		switch v.Type().Underlying().(type) {
		case *types.Signature, *types.Chan:
			return false
		}
	}
	return !slices.Contains(halves, c.name()) &&
		slices.ContainsFunc(beginnings[kind], func(b string) bool { return strings.HasPrefix(c.name(), b) })
}

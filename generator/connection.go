package generator

import (
	"go/token"
	"go/types"
)

// Connection is all that generation needs to know of the user's package, and nothing else.
type Connection struct {
	Package    string   // the name of the package
	Condition  string   // the constraint of the builds that have the type, or ""
	Ordered    bool     // a //go:generate line makes the pool
	Tests      bool     // the type is declared in a test
	Type       string   // the connection type, as an expression
	Interface  bool     // which is an interface, and so has no pointers to it
	ByValue    bool     // which the pool handles as a value rather than by pointer
	Context    string   // the type of the pool context, as the user writes it; "" without one
	Imports    []Import // what that needs
	Hooks      map[Kind]*Hook
	Observer   string                    // the type that is told what happens, as an expression; "" without one
	Observes   map[string]bool           // the events that it has methods for
	Nilable    bool                      // the observer can be nil, and has no use then
	Key        string                    // the type of the keys of a set of pools, as the user writes it; "" without one
	Absent     []string                  // methods that would be hooks if the type had them
	Unobserved []string                  // the events that the observer has no methods for
	Taken      map[string]token.Position // the names that the package declares
	Notes      []error                   // what the user should know
	Pos        token.Position            // of the type's declaration
}

// Import is an import of the user's that the generated code needs too.
type Import struct {
	Name  string // "" if the import has none
	Path  string
	refer string // the name by which the code refers to it
}

// Hook is a function of the user's that the pool calls.
type Hook struct {
	Kind      Kind
	Name      string // of the function or method
	Call      string // the expression by which it is called, if it is not a method
	Rule      string // by which it was found
	Method    bool   // of the connection type
	OfContext bool   // a method of the pool context
	Pointer   bool   // the method's receiver is a pointer
	Variable  bool   // a variable that holds the function
	Params    []Role // in the order of the parameters
	Variadic  bool   // there is one more, which gets nothing
	Result    Result // of all kinds but create, which
	Value     bool   // returns the connection itself rather than a pointer,
	Cleanup   bool   // a function that cleans up after it,
	Named     bool   // which may have a type with a name,
	Fails     bool   // and an error
	Returns   bool   // a needs-check that is proven to, whatever the connection
	Pos       token.Position
	candidate candidate
	context   types.Type // the pool context that it takes, or nil
}

// Role is what a parameter of a hook gets.
type Role int

// The roles of parameters.
const (
	ContextContext Role = iota // a context.Context
	PoolContext                // the pool context
	ConnPointer                // the connection
	ConnValue                  // the connection, by value
	UseErr                     // the error with which the use of a connection has ended
)

// Result is what a hook returns.
type Result int

// The results of hooks.
const (
	Nothing Result = iota
	Err
	Bool
)

// takes reports whether the hook has a parameter with that role.
func (h *Hook) takes(role Role) bool {
	if h == nil {
		return false
	}
	for _, r := range h.Params {
		if r == role {
			return true
		}
	}
	return false
}

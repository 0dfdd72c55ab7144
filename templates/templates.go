// Package templates holds the source of the pool that poolgen specialises. It is ordinary Go, in the
// package templates/pool, with its own tests.
//
// Comments tell the generator what is not in all pools. What is marked with
//
//	//poolgen:if hasStats && !hasLeaks // and here a comment that stays
//
// is there only if that holds: a declaration, a field, a statement or a case; of a switch that is marked, only the body
// of a case is if that is the last. A line of a comment that begins with (hasStats) is there only with that feature. A
// function that is marked with
//
//	//poolgen:once // and here a comment for its statements
//
// goes into its caller if a pool has only one, it fits there, and nothing would mean something else; a constant to its
// only use.
package templates

import "embed"

// Pool holds the files of templates/pool.
//
//go:embed pool/pool.go pool/lease.go pool/stats.go pool/errors.go pool/slot.go pool/queue.go pool/job.go
//go:embed pool/recycle.go pool/warm.go pool/content.go pool/doom.go pool/upkeep.go pool/retry.go pool/breaker.go pool/barging.go
//go:embed pool/drain.go pool/histogram.go pool/leaks.go pool/observer.go pool/pools.go pool/timeout.go pool/total.go pool/features.go pool/conn.go
var Pool embed.FS

// Files are the files of Pool that make up a generated pool, in the order in which they stand in it: the
// API first, as a user meets it, then the machinery from the fast path to the slow ones.
var Files = []string{"pool.go", "lease.go", "stats.go", "histogram.go", "errors.go", "slot.go", "queue.go", "job.go", "timeout.go",
	"retry.go", "breaker.go", "barging.go", "recycle.go", "doom.go", "upkeep.go", "warm.go", "content.go", "drain.go", "leaks.go", "observer.go", "pools.go", "total.go"}

// StandIns are the files that only let the template compile: features and hooks, for the generator to
// fold and to inline.
var StandIns = []string{"features.go", "conn.go"}

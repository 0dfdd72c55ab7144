// Package pools makes pools look the same to the replays: the generated ones, and what a user would take instead. An
// adapter is a file of a few lines; it switches on what its pool has to offer for a replay, and adds nothing.
package pools

import (
	"context"
	"time"

	"github.com/poolgen/poolgen/bench/replays/faulty"
)

// Feature is something that only some pools have.
type Feature string

// The features. A pool has one if a user can get it without writing code of that kind.
const (
	Check     Feature = "check before a lease"
	Lifetime  Feature = "lifetime of connections"
	KeepAlive Feature = "keep-alive of idle connections"
	Breaker   Feature = "circuit breaker"
	Hooks     Feature = "hook besides create, check and close"
	Holds     Feature = "statistics of how long leases last"
)

// What the options are set to where a replay uses a feature.
const (
	MaxLifetime     = time.Minute
	KeepAlivePeriod = 20 * time.Second
	BreakAfter      = 5 // creates that have failed in a row,
	BreakTime       = time.Second
)

// HookNames are those of Hooks, as faulty.Server.PanicIn knows them.
var HookNames = []string{"needs-check", "reset", "broken", "after-create", "before-acquire", "after-release", "before-close"}

// Config is what a replay asks of a pool.
type Config struct {
	Size   int // how many connections it may have
	Server *faulty.Server
	With   Feature // "" for none; pools that don't have it go without
}

// Pool is a pool under test.
type Pool interface {
	Acquire(ctx context.Context) (Lease, error)
	// Close ends the pool. Pools that can't be told for how long they may wait don't look at ctx.
	Close(ctx context.Context) error
}

// Lease is what a pool hands out, as it is: a second Release is a second Release.
type Lease interface {
	ID() int                         // of the connection
	Query(ctx context.Context) error // to the server
	Release()
	Discard() // Release, of a connection that is of no use
}

// Histogrammed are pools that have Holds.
type Histogrammed interface {
	// HeldFor is a time that 99 % of the leases so far have not exceeded, as the pool's statistics tell.
	HeldFor() time.Duration
}

// Peer is a kind of pool.
type Peer struct {
	Name   string
	Module string // where it comes from; "" for the standard library and generated pools
	Note   string
	Has    []Feature
	New    func(Config) (Pool, error) `json:"-"`
}

// Poolgen is the peer whose pools are generated.
var Poolgen = Peer{
	Name: "poolgen",
	Note: "the default set; with `-with=lifetime,breaker,background,histogram,holds` where a replay is about one of these, and all hooks",
	Has:  []Feature{Check, Lifetime, KeepAlive, Breaker, Hooks, Holds},
	New:  newGenerated,
}

// All are the peers that this module has.
var All = []Peer{
	Poolgen,
	{Name: "puddle", Module: "github.com/jackc/puddle/v2", New: newPuddle},
	{Name: "pgxpool", Module: "github.com/jackc/pgx/v5", New: newPgxpool, Has: []Feature{Check, Lifetime, KeepAlive, Hooks},
		Note: "speaks PostgreSQL's protocol with a server in this process; pings before each lease where a check is wanted; for keep-alive, what was idle for that long is closed (`MaxConnIdleTime`) and replaced (`MinIdleConns`). A dead connection keeps its place for 15 s after its ping has failed: pgx says goodbye to the server and waits for an answer"},
	{Name: "database/sql", New: newSQL, Has: []Feature{Check, Lifetime}, Note: "with a driver whose `ResetSession` asks the server where a check is wanted"},
	{Name: "redigo", Module: "github.com/gomodule/redigo", New: newRedigo, Has: []Feature{Check, Lifetime}, Note: "with `Wait`, and `TestOnBorrow` where a check is wanted"},
	{Name: "go-redis", Module: "github.com/redis/go-redis/v9", New: newGoRedis, Has: []Feature{Lifetime, Breaker},
		Note: "its pool can't be used without its client, which speaks with a server in this process: what acquires is the first command of a `Conn`, so a dead connection is an error of that, and the service of pool sizing has twice the work. Retries are off, as the requesters try again themselves; its breaker is always on. Its look at the socket needs a real one, and would find what was reset"},
}

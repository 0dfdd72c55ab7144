// Package peers makes everything that can hold connections look the same to the scenarios: the generated pools,
// the pools that a user would take instead, and a few sketches. An adapter is a file of a few lines; it adds
// nothing to what its pool does, and leaves nothing out.
package peers

import (
	"context"
	"time"

	"github.com/poolgen/poolgen/bench/trivial"
)

// Config is what a scenario asks of a pool.
type Config struct {
	Size   int             // how many connections it may have
	Server *trivial.Server // where they go
	Check  bool            // connections are tried before each lease, if the pool has something for that
}

// Pool is a pool under measurement.
type Pool interface {
	// Loop acquires and releases n times. Each adapter has a loop of its own, so that the calls in it are the
	// direct ones that a user would write: one loop for all would call through an interface or, with type
	// parameters, through a dictionary, and hide what is to be measured.
	Loop(ctx context.Context, n int) error
	// Use acquires, calls hold and releases. If hold fails, the connection is not used again.
	Use(ctx context.Context, hold func(*trivial.Conn) error) error
	// Close ends the pool, in which nothing is leased.
	Close()
}

// Kind tells what a peer is, which decides what it is compared with.
type Kind string

// The kinds.
const (
	Generated Kind = "generated" // by poolgen
	Product   Kind = "product"   // what a user may take instead
	Sketch    Kind = "sketch"    // what a user may write instead
	Floor     Kind = "floor"     // not a pool: what none can do without
)

// Peer is a kind of pool.
type Peer struct {
	Name   string
	Kind   Kind
	Module string                     // where it comes from; "" for the standard library and what is written here
	FIFO   bool                       // serves in the order of arrival
	Yields bool                       // lets the one run to whom it has handed a connection
	Only   []string                   // the scenarios it is made for; nil for all
	Not    []string                   // or those it is not made for
	Needs  string                     // the environment variable that says where its server is, if it needs one
	Fixed  int                        // the size it has, whatever Config says; 0 for any
	Note   string                     // what is different about its measurement
	New    func(Config) (Pool, error) `json:"-"`
}

// barging is what pools that let requesters barge have as their option: what sync.Mutex has.
const barging = time.Millisecond

// All are the peers that this module has.
var All = []Peer{
	{Name: "two compare-and-swaps", Kind: Floor, Only: []string{"S1", "S2"}, New: newFloor, Note: "no pool can take and give back a place with less; in S2, each goroutine has a word of its own"},

	{Name: "poolgen bare", Kind: Generated, FIFO: true, Not: []string{"S1c", "S10"}, New: newBare, Note: "`-with=none`: among other things, releasers don't make way"},
	{Name: "poolgen bare, fixed", Kind: Generated, FIFO: true, Only: []string{"S1", "S2", "S6"}, Fixed: 32, New: newBareFixed, Note: "`-with=none -size=32`"},
	{Name: "poolgen", Kind: Generated, FIFO: true, Yields: true, Not: []string{"S10"}, New: newDefault, Note: "the default set"},
	{Name: "poolgen, barging", Kind: Generated, Yields: true, Only: []string{"S1", "S3", "S4", "S5", "S9"}, New: newBarging, Note: "the default set and `-with=barging`: as in sync.Mutex, requesters may go before those who wait as long as nobody has waited for 1 ms"},
	{Name: "poolgen fixed", Kind: Generated, FIFO: true, Yields: true, Only: []string{"S1", "S2", "S6"}, Fixed: 32, New: newDefaultFixed, Note: "`-size=32`"},
	{Name: "poolgen all", Kind: Generated, FIFO: true, Yields: true, Not: []string{"S1c", "S10"}, New: newAll, Note: "`-with=all`"},
	{Name: "poolgen all, fixed", Kind: Generated, FIFO: true, Yields: true, Only: []string{"S1", "S2", "S6"}, Fixed: 32, New: newAllFixed, Note: "`-with=all -size=32`"},
	{Name: "poolgen, needs-check", Kind: Generated, FIFO: true, Yields: true, Only: []string{"S1c"}, New: newNeeds, Note: "the default set, for a type with a needs-check that poolgen sees not to panic; otherwise it is guarded, which costs more than the call"},
	{Name: "poolgen, check", Kind: Generated, FIFO: true, Yields: true, Only: []string{"S10"}, New: newChecked, Note: "the default set, for a type with a check"},

	{Name: "core, no check", Kind: Sketch, Only: []string{"S1c"}, New: newCoreBare, Note: "dispatch.go: one core for all of these"},
	{Name: "core, direct", Kind: Sketch, Only: []string{"S1c"}, New: newCoreDirect},
	{Name: "core, generic", Kind: Sketch, Only: []string{"S1c"}, New: newCoreGeneric},
	{Name: "core, interface", Kind: Sketch, Only: []string{"S1c"}, New: newCoreInterface},
	{Name: "core, func", Kind: Sketch, Only: []string{"S1c"}, New: newCoreFunc},
	{Name: "plain core, no check", Kind: Sketch, Only: []string{"S1c"}, New: newPlainCoreBare, Note: "the same core without atomic operations, for a single goroutine"},
	{Name: "plain core, direct", Kind: Sketch, Only: []string{"S1c"}, New: newPlainCoreDirect},
	{Name: "plain core, generic", Kind: Sketch, Only: []string{"S1c"}, New: newPlainCoreGeneric},
	{Name: "plain core, interface", Kind: Sketch, Only: []string{"S1c"}, New: newPlainCoreInterface},
	{Name: "plain core, func", Kind: Sketch, Only: []string{"S1c"}, New: newPlainCoreFunc},

	{Name: "puddle", Kind: Product, Module: "github.com/jackc/puddle/v2", FIFO: true, Not: []string{"S1c"}, New: newPuddle},
	{Name: "pgxpool", Kind: Product, Module: "github.com/jackc/pgx/v5", FIFO: true, Not: []string{"S1c"}, New: newPgxpool,
		Note: "its connections speak PostgreSQL's protocol with a server in this process that answers at once; its dials in S10 are also those that cancel what a dead connection was asked"},
	{Name: "database/sql", Kind: Product, Not: []string{"S1c"}, New: newSQL},
	{Name: "go-redis", Kind: Product, Module: "github.com/redis/go-redis/v9", Not: []string{"S1c"}, New: newGoRedis,
		Note: "its pool can't be used without its client: each acquire is a command that is encoded, answered at once in this process, and parsed"},
	{Name: "redigo", Kind: Product, Module: "github.com/gomodule/redigo", FIFO: true, Not: []string{"S1c"}, New: newRedigo},
	{Name: "go-commons-pool", Kind: Product, Module: "github.com/jolestar/go-commons-pool/v2", Not: []string{"S1c"}, New: newCommons},

	{Name: "channel, select", Kind: Sketch, FIFO: true, Not: []string{"S1c", "S10"}, New: newChannel},
	{Name: "channel, try first", Kind: Sketch, FIFO: true, Not: []string{"S1c", "S10"}, New: newTryChannel},
	{Name: "mutex, FIFO", Kind: Sketch, FIFO: true, Not: []string{"S1c", "S10"}, New: newMutex, Note: "a slice, a queue, direct hand-over: the textbook"},
	{Name: "mutex, FIFO, best", Kind: Sketch, FIFO: true, Yields: true, Not: []string{"S1c", "S10"}, New: newBestMutex, Note: "and skips waiters whose context is done, and yields"},
	{Name: "sync.Pool", Kind: Sketch, Only: []string{"S1", "S2"}, New: newSyncPool, Note: "unbounded, and loses connections to the garbage collector"},

	{Name: "poolgen around pgx", Kind: Generated, Needs: PostgresVar, Only: []string{"S11/postgres"}, New: newRealPgx, Note: "a generated pool of `*pgx.Conn`"},
	{Name: "poolgen around pgx, barging", Kind: Generated, Needs: PostgresVar, Only: []string{"S11/postgres"}, New: newRealBargingPgx, Note: "as poolgen, barging"},
	{Name: "pgxpool with PostgreSQL", Kind: Product, Needs: PostgresVar, Module: "github.com/jackc/pgx/v5", Only: []string{"S11/postgres"}, New: newRealPgxpool},
	{Name: "database/sql with pgx", Kind: Product, Needs: PostgresVar, Only: []string{"S11/postgres"}, New: newRealSQL},
	{Name: "poolgen around redigo", Kind: Generated, Needs: RedisVar, Only: []string{"S11/redis"}, New: newRealConn, Note: "a generated pool of redigo's connections"},
	{Name: "redigo with Redis", Kind: Product, Needs: RedisVar, Module: "github.com/gomodule/redigo", Only: []string{"S11/redis"}, New: newRealRedigo},
	{Name: "go-redis with Redis", Kind: Product, Needs: RedisVar, Module: "github.com/redis/go-redis/v9", Only: []string{"S11/redis"}, New: newRealGoRedis},
}

// Missing are peers that can't be had, with the reason.
var Missing = map[string]string{
	"gpool": "github.com/gsoultan/gpool: the module proxy does not have it (403, “This module version is not available”)",
}

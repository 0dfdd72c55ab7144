package pool

// The features of a pool. The generator folds these constants: branches, fields and declarations that
// depend on one which is false for the pool at hand leave no trace in the output. Here everything is
// on, so that the template's own tests see the complete pool; only values and a fixed size have to wait
// for the generator.
const (
	// What the hooks decide.
	hasContext       = true  // the hooks take a pool context
	hasCheck         = true  // connections have a health check
	hasNeeds         = true  // and tell whether it is due; without, it always is
	mayPanic         = true  // which may panic, for all that the generator can see
	byValue          = false // connections are values, of which the pool has copies and nobody a pointer
	hasCleanup       = true  // create returns a function that cleans up after a connection
	hasCloser        = true  // connections have a method or function that closes them
	hasClose         = true  // connections have to be closed
	hidesClose       = true  // and a lease hides the method that does it
	hasBroken        = true  // connections tell on release that they are broken
	resetsHere       = true  // connections are reset on release, by a hook that takes no context
	resetsAway       = true  // connections are reset on release, by a hook that takes one, and its time
	hasAfterCreate   = true  // a hook is called after a create,
	hasBeforeAcquire = true  // before a connection is leased,
	hasAfterRelease  = true  // after its release, and
	hasBeforeClose   = true  // before it is closed
	hasFatal         = true  // a hook tells which errors of a connection's use are fatal for it

	nilObserver           = true // the observer can be nil, and told nothing then
	observesCreated       = true // the observer has a method Created,
	observesCreateFailed  = true // CreateFailed,
	observesAcquired      = true // Acquired,
	observesAcquireFailed = true // AcquireFailed,
	observesReleased      = true // Released,
	observesRetired       = true // Retired,
	observesCheckFailed   = true // CheckFailed

	// What the user chooses.
	hasTry        = true // TryAcquire
	hasOutside    = true // AcquireOrCreate
	hasWith       = true // With
	hasWarm       = true // Warm
	hasDetach     = true // Detach
	hasLimits     = true // MaxWaiters and MaxConcurrentCreates
	hasBarging    = true // Barging
	hasStats      = true // Stats, and errors that say what the pool looked like
	hasSuspicion  = true // idle connections are checked when another one has failed its check
	hasYield      = true // releasers make way for those who get their place
	hasDemand     = true // as few creates as the queue needs, instead of one for each waiter
	hasLifetime   = true // MaxLifetime and MaxLifetimeJitter
	hasIdle       = true // IdleTimeout, MinIdle and MaxIdle
	hasBackground = true // HealthCheckPeriod
	hasReset      = true // Reset of the pool
	hasResize     = true // Resize
	hasRetry      = true // CreateRetries
	hasBreaker    = true // BreakAfter and BreakTime
	hasTimeout    = true // AcquireTimeout
	hasDrain      = true // Drain
	hasInsert     = true // Insert
	hasRetain     = true // Retain
	hasAge        = true // Created, Uses and IdleTime of a lease
	hasHistogram  = true // how long requesters waited, as a histogram
	hasHolds      = true // how long leases lasted, as a histogram
	hasString     = true // the statistics as a string
	hasKeyed      = true // Pools, a set of pools by key
	hasLeaks      = true // who holds leases, and which are held for too long
	hasTrace      = true // waits are regions of execution traces

	fixedSize = size > 0 // the number of places is a constant of the code
	size      = 0        // that number

	// What follows from these.
	hasAwait    = hasCheck || hasOutside || hasWarm                                             // somebody waits for a job, and not in the queue
	hasVetting  = hasCheck || hasBeforeAcquire                                                  // a connection may be refused before it is leased
	hasRejoin   = hasVetting && (hasTry || hasOutside) && (hasBreaker || hasResize || hasKeyed) // who has been refused may find nothing to wait for
	hasObserver = observesCreated || observesCreateFailed || observesAcquired || observesAcquireFailed || observesReleased || observesRetired || observesCheckFailed
	hasDoom     = hasLifetime || hasReset || hasResize                                          // connections may be retired by others than who has them
	hasUpkeep   = hasLifetime || hasIdle || hasBackground || hasLeaks                           // time alone makes a difference
	hasReasons  = hasStats || hasObserver || hasDoom || hasIdle                                 // somebody asks why connections are retired
	hasJobs     = hasCheck || hasClose || resetsAway                                            // goroutines of the pool do more than create
	hasArrival  = hasUpkeep || hasAge || hasBeforeAcquire                                       // something is noted when a place gets its connection
	hasQueue    = hasTry || hasOutside || hasLimits                                             // requesters differ in how long a queue they may join
	hasRefusals = hasTry || hasLimits                                                           // requesters may not wait
	hasOwn      = hasOutside || hasWarm                                                         // creates are for a requester alone
	hasCeiling  = hasBreaker || hasResize || hasKeyed                                           // not every vacant place may be filled
	hasMaxSize  = hasStats || hasResize || hasKeyed                                             // MaxSize may change, or be asked for
	hasServed   = hasYield || hasDemand                                                         // it matters whether a waiter gets a place that is passed on
	hasStreak   = hasIdle || hasBreaker                                                         // it matters how many creates in a row have failed
	hasFresh    = hasOutside || hasClose || hasInsert                                           // there are connections outside the pool
	hasJudges   = hasBroken || resetsHere || hasAfterRelease                                    // hooks decide on release whether a connection goes on
	hasRecycle  = hasJudges || resetsAway || hasHolds || hasAge || hasLeaks || observesReleased // something happens between two leases
)

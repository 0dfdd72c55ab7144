package pool

// The features of a pool. The generator folds these constants: branches, fields and declarations that
// depend on one which is false for the pool at hand leave no trace in the output. Here everything is
// on, so that the template's own tests see the complete pool; only a fixed size has to wait for the
// generator.
const (
	hasContext    = true     // the hooks take a pool context
	hasCheck      = true     // connections have a health check
	hasNeeds      = true     // and tell whether it is due; without, it always is
	mayPanic      = true     // which may panic, for all that the generator can see
	hasClose      = true     // connections have to be closed
	hidesClose    = true     // and a lease hides the method that does it
	hasBroken     = true     // connections tell on release that they are broken
	resetsHere    = true     // connections are reset on release, by a hook that takes no context
	resetsAway    = true     // connections are reset on release, by a hook that takes one, and its time
	hasRecycle    = true     // any of the last three
	hasTry        = true     // TryAcquire
	hasOutside    = true     // AcquireOrCreate
	hasWith       = true     // With
	hasWarm       = true     // Warm
	hasDetach     = true     // Detach
	hasLimits     = true     // MaxWaiters and MaxConcurrentCreates
	hasDemand     = true     // as few creates as the queue needs, instead of one for each waiter
	hasLifetime   = true     // MaxLifetime and MaxLifetimeJitter
	hasIdle       = true     // IdleTimeout, MinIdle and MaxIdle
	hasBackground = true     // HealthCheckPeriod
	hasReset      = true     // Reset of the pool
	hasResize     = true     // Resize
	hasRetry      = true     // CreateRetries
	hasBreaker    = true     // BreakAfter and BreakTime
	hasTimeout    = true     // AcquireTimeout
	hasDrain      = true     // Drain
	hasInsert     = true     // Insert
	hasRetain     = true     // Retain
	fixedSize     = size > 0 // the number of places is a constant of the code

	size = 0 // that number

	// What follows from these.
	hasDoom   = hasLifetime || hasReset || hasResize    // connections may be retired by somebody else than who has them
	hasUpkeep = hasLifetime || hasIdle || hasBackground // time alone makes a difference
	hasStreak = hasIdle || hasBreaker                   // it matters how many creates in a row have failed
	hasFresh  = hasOutside || hasClose || hasInsert     // there are connections outside the pool
)

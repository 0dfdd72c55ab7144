package pools

import (
	"context"
	"time"

	"github.com/poolgen/poolgen/bench/replays/generated"
)

// newGenerated takes the pool that has what is wanted and, of these, the one that has least.
func newGenerated(config Config) (Pool, error) {
	switch config.With {
	case "":
		pool, err := generated.NewPlainPool(config.Server, generated.PlainPoolOptions{MaxSize: config.Size})
		return generatedPool[generated.PlainLease]{pool}, err
	case Check:
		pool, err := generated.NewCheckedPool(config.Server, generated.CheckedPoolOptions{MaxSize: config.Size})
		return generatedPool[generated.CheckedLease]{pool}, err
	}
	options := generated.FullPoolOptions{MaxSize: config.Size}
	switch config.With {
	case Lifetime:
		options.MaxLifetime = MaxLifetime
	case KeepAlive:
		options.HealthCheckPeriod = KeepAlivePeriod
	case Breaker:
		options.BreakAfter, options.BreakTime = BreakAfter, BreakTime
	}
	pool, err := generated.NewFullPool(config.Server, options)
	return fullPool{generatedPool[generated.FullLease]{pool}, pool}, err
}

// generatedPool is any generated pool of connections with an ID and a Query, which are its leases' as well.
type generatedPool[L Lease] struct {
	pool interface {
		Acquire(ctx context.Context) (L, error)
		Close(ctx context.Context) error
	}
}

func (p generatedPool[L]) Acquire(ctx context.Context) (Lease, error) {
	lease, err := p.pool.Acquire(ctx)
	return lease, err
}

func (p generatedPool[L]) Close(ctx context.Context) error { return p.pool.Close(ctx) }

// fullPool has statistics of leases.
type fullPool struct {
	generatedPool[generated.FullLease]
	pool *generated.FullPool
}

func (p fullPool) HeldFor() time.Duration {
	times := p.pool.Stats().HoldTimes
	var all, sum uint64
	for _, n := range times {
		all += n
	}
	for i, n := range times {
		if sum += n; sum*100 >= all*99 {
			return time.Microsecond << i
		}
	}
	return 0
}

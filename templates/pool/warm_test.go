package pool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWarmCreatesAhead(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		begun := time.Now()
		b.idle(3)
		require.Equal(t, time.Second, time.Since(begun), "at the same time")
		b.created(3)
		require.NoError(t, b.pool.Warm(b.ctx, 2, nil))
		b.created(3)
		b.idle(5)
		b.created(5)
	})
}

func TestWarmCountsLeasedConnections(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		b.acquireAll(2)
		require.NoError(t, b.pool.Warm(b.ctx, 3, nil))
		b.created(3)
	})
}

func TestWarmNeverExceedsMaxSize(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.pool.Warm(b.ctx, 10, nil) // whether or not that is an error
		b.left(int(b.pool.Stats().Created))
		require.LessOrEqual(t, b.creates, 3)
	})
}

func TestWarmGivesTheIndexesToTheCreatingFunction(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 8}, func(t *testing.T, b *backend) {
		var mu sync.Mutex
		var indexes []int
		err := b.pool.Warm(b.ctx, 5, func(ctx context.Context, i int) (*Conn, error) {
			mu.Lock()
			indexes = append(indexes, i)
			mu.Unlock()
			return b.connect(ctx, nil), nil
		})
		require.NoError(t, err)
		slices.Sort(indexes)
		require.Equal(t, []int{0, 1, 2, 3, 4}, indexes)
		b.created(0)
		b.expect(5, "idle", func(s PoolStats) int { return s.Idle })
		b.acquireAll(5)
	})
}

func TestWarmIsAllOrNothing(t *testing.T) {
	for name, s := range map[string]script{
		"error":  take(time.Second).then(fail(errRefused)),
		"panic":  take(time.Second).then(panicking("oh no")),
		"Goexit": take(time.Second).then(exit),
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
				b.creating(inTurn(succeed, take(500*time.Millisecond), s, take(3*time.Second)))
				err := b.pool.Warm(b.ctx, 5, nil)
				require.Error(t, err)
				if name == "error" {
					require.ErrorIs(t, err, errRefused)
				} else {
					require.ErrorContains(t, err, "helpers_test.go", "the stack")
				}
				time.Sleep(5 * time.Second)
				b.left(0)
				b.expect(5, "vacant", func(s PoolStats) int { return s.Vacant })
			})
		})
	}
}

func TestWarmLeavesWhatWasThereBefore(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		b.idle(2)
		b.creating(fail(errRefused))
		require.ErrorIs(t, b.pool.Warm(b.ctx, 5, nil), errRefused)
		b.expect(2, "idle", func(s PoolStats) int { return s.Idle })
	})
}

func TestWarmEndsWithItsContext(t *testing.T) {
	for name, slow := range map[string]script{"heeding its context": take(5 * time.Second), "deaf": deaf(5 * time.Second)} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
				b.creating(inTurn(succeed, slow))
				cause := errors.New("enough")
				ctx, cancel := context.WithTimeoutCause(b.ctx, time.Second, cause)
				defer cancel()
				begun := time.Now()
				err := b.pool.Warm(ctx, 5, nil)
				require.Equal(t, time.Second, time.Since(begun))
				require.ErrorIs(t, err, cause)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				time.Sleep(time.Minute)
				b.left(0)
			})
		})
	}
}

func TestWarmWithAnEndedContextCreatesNothing(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		require.ErrorIs(t, b.pool.Warm(ctx, 5, nil), context.Canceled)
		synctest.Wait()
		b.created(0)
	})
}

func TestWarmHeedsMaxConcurrentCreates(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10, MaxConcurrentCreates: 3}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		b.idle(10)
		b.peaked(3)
	})
}

func TestWarmServesThoseWhoWait(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		warmed := make(chan error, 1)
		go func() { warmed <- b.pool.Warm(b.ctx, 3, nil) }()
		all := b.requests(3)
		require.NoError(t, <-warmed)
		for _, r := range all {
			r.served()
		}
		b.created(3)
	})
}

func TestARequesterDoesNotWaitForAWarmWhileThereIsRoom(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
		b.creating(inTurn(take(time.Second), take(8*time.Second), take(time.Second)))
		warmed := make(chan error, 1)
		go func() { warmed <- b.pool.Warm(b.ctx, 2, nil) }()
		synctest.Wait()
		r := b.request(b.ctx).wait()
		require.NoError(t, r.err)
		require.LessOrEqual(t, r.took, time.Second)
		require.NoError(t, <-warmed)
	})
}

func TestTwoWarmsAtTheSameTime(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 6}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		warmed := make(chan error, 2)
		for range 2 {
			go func() { warmed <- b.pool.Warm(b.ctx, 6, nil) }()
		}
		require.NoError(t, <-warmed)
		require.NoError(t, <-warmed)
		time.Sleep(time.Second)
		b.created(6)
		b.expect(6, "idle", func(s PoolStats) int { return s.Idle })
	})
}

//poolgen:if hasWarm
func TestWarmOfFewerThanNothingDoesNothing(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		require.NoError(t, b.pool.Warm(b.ctx, -1, nil))
		b.created(0)
	})
}

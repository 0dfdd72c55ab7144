package pool

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

//poolgen:if hasRetry
func TestAFailedCreateIsTriedAgainForTheSameRequester(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 2}, func(t *testing.T, b *backend) {
		b.creating(inTurn(fail(errRefused), panicking("oh no"), succeed))
		r := b.request(b.ctx)
		second := b.request(b.ctx)
		r.wait().served()
		second.waits()
		b.created(3)
		if hasStats {
			require.EqualValues(t, 2, b.pool.Stats().CreateFailures)
			require.EqualValues(t, 1, b.pool.Stats().Created)
		}
	})
}

//poolgen:if hasRetry
func TestTheErrorOfRetriesNamesTheAttemptsAndWrapsTheLastCause(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 2}, func(t *testing.T, b *backend) {
		b.creating(inTurn(fail(errDirty), fail(errDirty), fail(&codeError{42})))
		err := b.request(b.ctx).wait().failed()
		var op *PoolError
		require.ErrorAs(t, err, &op)
		require.Equal(t, "create", op.Op)
		var code *codeError
		require.ErrorAs(t, err, &code)
		require.ErrorContains(t, err, "attempt 3")
	})
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		require.NotContains(t, b.request(b.ctx).failed().Error(), "attempt")
	})
}

//poolgen:if hasRetry
func TestThePausesBetweenRetriesGrowAndAreRandom(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 10 {
		virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 8, CreateTimeout: time.Minute}, func(t *testing.T, b *backend) {
			gaps := b.dials()
			b.request(b.ctx).wait().failed()
			require.Len(t, *gaps, 8)
			for i, gap := range *gaps {
				least := 50 * time.Millisecond << min(i, 5)
				within(t, least, 2*least, gap, "the pause")
				if i > 0 && i < 6 {
					require.Greater(t, gap, (*gaps)[i-1])
				}
			}
			seen[(*gaps)[0]] = true
		})
	}
	require.Greater(t, len(seen), 5)
}

//poolgen:if hasRetry
func TestThereIsNoRetryIfTheCreateTimeoutWouldEndBeforeIt(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 100, CreateTimeout: time.Second}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		r := b.request(b.ctx).wait()
		require.ErrorIs(t, r.failed(), errRefused, "and not that time is over")
		require.ErrorContains(t, r.err, "attempt ")
		require.Less(t, r.took, time.Second)
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Greater(t, b.creates, 2)
	})
}

//poolgen:if hasRetry
func TestADeafCreateIsNotTriedAgain(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 3, CreateTimeout: time.Second}, func(t *testing.T, b *backend) {
		b.creating(deaf(time.Hour))
		r := b.request(b.ctx).wait()
		require.ErrorIs(t, r.failed(), context.DeadlineExceeded)
		require.ErrorContains(t, r.err, "was given up")
		require.NotContains(t, r.err.Error(), "attempt")
		timeoutIn(t, time.Second, r.took)
		b.created(1)
	})
}

//poolgen:if hasRetry
func TestARequesterNeedNotWaitForTheRetries(t *testing.T) {
	for name, leave := range map[string]func(b *backend, h *held) (*request, time.Duration){
		"its deadline": func(b *backend, _ *held) (*request, time.Duration) {
			ctx, cancel := context.WithTimeout(b.ctx, 10*time.Millisecond)
			defer cancel()
			r := b.request(ctx).wait()
			require.ErrorIs(b, r.failed(), context.DeadlineExceeded)
			return r, 10 * time.Millisecond
		},
		"a release": func(b *backend, h *held) (*request, time.Duration) {
			r := b.request(b.ctx)
			time.Sleep(20 * time.Millisecond)
			b.release(h)
			require.Same(b, h.Conn(), r.served().Conn())
			return r, 20 * time.Millisecond
		},
		"the pool's end": func(b *backend, h *held) (*request, time.Duration) {
			r := b.request(b.ctx)
			time.Sleep(30 * time.Millisecond)
			b.closePool(0)
			require.ErrorIs(b, r.failed(), ErrPoolClosed)
			h.Release()
			require.NoError(b, b.closePool(time.Millisecond), "nor does that")
			return r, 30 * time.Millisecond
		},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 2, CreateRetries: 3}, func(t *testing.T, b *backend) {
				h := b.acquire()
				b.creating(inTurn(fail(errRefused), succeed))
				r, after := leave(b, h)
				require.Equal(t, after, r.took)
				time.Sleep(time.Minute)
				synctest.Wait()
			})
		})
	}
}

//poolgen:if hasRetry
func TestTheCreateOfARequesterWhoLeftIsTriedAgainForTheNext(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 3}, func(t *testing.T, b *backend) {
		b.creating(inTurn(fail(errRefused), succeed))
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Millisecond)
		defer cancel()
		b.request(ctx).wait().failed()
		r := b.request(b.ctx).wait()
		require.NoError(t, r.err)
		b.created(2)
	})
}

//poolgen:if hasRetry && hasWarm
func TestWarmTriesAgain(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, CreateRetries: 3}, func(t *testing.T, b *backend) {
		b.creating(inTurn(fail(errRefused), fail(errRefused), succeed))
		require.NoError(t, b.pool.Warm(b.ctx, 3, nil))
		b.created(5)
	})
}

//poolgen:if hasRetry && hasWarm
func TestAWarmThatIsCalledOffDoesNotTryAgain(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, CreateRetries: 3}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Millisecond)
		defer cancel()
		begun := time.Now()
		require.ErrorIs(t, b.pool.Warm(ctx, 3, nil), context.DeadlineExceeded)
		require.Equal(t, 10*time.Millisecond, time.Since(begun))
		time.Sleep(time.Minute)
		b.created(3)
		if hasStats {
			b.expect(3, "vacant", func(s PoolStats) int { return s.Vacant })
		}
	})
}

//poolgen:if hasRetry && hasWarm && hasStats
func TestTheLastErrorOfRetriesThatAreCalledOffIsTheCause(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, CreateRetries: 3}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Millisecond)
		defer cancel()
		require.Error(t, b.pool.Warm(ctx, 1, nil))
		time.Sleep(time.Minute)
		require.ErrorIs(t, b.pool.Stats().LastError, errRefused)
	})
}

//poolgen:if hasRetry && hasStats
func TestStatsTellTheErrorOfAnAttemptDuringTheRetries(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1, CreateRetries: 8, CreateTimeout: time.Minute}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		b.request(b.ctx)
		time.Sleep(time.Second)
		require.ErrorIs(t, b.pool.Stats().LastError, errRefused)
	})
}

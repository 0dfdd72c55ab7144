package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// timeoutIn requires that a hook was given up at its time-out, or a little later.
func timeoutIn(t *testing.T, timeout, got time.Duration) {
	t.Helper()
	within(t, timeout, timeout+timeout/20, got, "giving up")
}

func TestAReleasedConnectionServesARequesterWhoseCreateIsSlow(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.creating(take(9 * time.Second))
		r := b.request(b.ctx)
		time.Sleep(100 * time.Millisecond)
		b.release(h)
		require.Same(t, h.Conn(), r.served().Conn())
		require.Equal(t, 100*time.Millisecond, r.took)
		require.Equal(t, 1, b.pool.Stats().Creating)

		time.Sleep(10 * time.Second)
		b.expect(1, "idle, the late one", func(s PoolStats) int { return s.Idle })
		b.created(2)
	})
}

func TestALateConnectionGoesToTheNextWaiter(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.creating(take(5 * time.Second))
		first := b.request(b.ctx)
		time.Sleep(time.Second)
		b.release(h)
		first.served()
		second := b.request(b.ctx).wait()
		require.Equal(t, 4*time.Second, second.took)
		b.created(2)
	})
}

func TestARequesterWhoGivesUpLeavesItsCreateToTheNext(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		b.creating(take(3 * time.Second))
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		first := b.request(ctx).wait()
		require.ErrorIs(t, first.err, context.DeadlineExceeded)
		time.Sleep(time.Second)
		second := b.request(b.ctx).wait()
		require.NoError(t, second.err)
		require.Equal(t, time.Second, second.took)
		b.created(1)
	})
}

func TestDeadlinesShorterThanACreateStillMakeProgress(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		served := false
		for range 5 {
			ctx, cancel := context.WithTimeout(b.ctx, 300*time.Millisecond)
			r := b.request(ctx).wait()
			cancel()
			if served = r.err == nil; served {
				break
			}
		}
		require.True(t, served)
		b.created(1)
	})
}

func TestCreatesDoNotPileUpWhenRequestersGiveUp(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
		b.creating(take(9 * time.Second))
		for range 30 {
			ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
			b.request(ctx).wait().failed()
			cancel()
		}
		b.created(1)
	})
}

func TestACreateSeesTheRequestersValuesButNotItsDeadline(t *testing.T) {
	virtual(t, PoolOptions{CreateTimeout: 7 * time.Second}, func(t *testing.T, b *backend) {
		type key struct{}
		var value any
		var left time.Duration
		b.creating(func(ctx context.Context, _ *Conn) error {
			deadline, _ := ctx.Deadline()
			value, left = ctx.Value(key{}), time.Until(deadline)
			return take(time.Second)(ctx, nil)
		})
		ctx, cancel := context.WithCancel(context.WithValue(b.ctx, key{}, "mine"))
		r := b.request(ctx)
		cancel()
		r.failed()
		require.Equal(t, "mine", value)
		require.Equal(t, 7*time.Second, left)
		time.Sleep(2 * time.Second)
		b.expect(1, "idle", func(s PoolStats) int { return s.Idle })
	})
}

func TestADeafCreateDoesNotHoldItsRequesterPastTheDeadline(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		b.creating(deaf(time.Hour))
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		defer cancel()
		r := b.request(ctx).wait()
		require.ErrorIs(t, r.err, context.DeadlineExceeded)
		require.Equal(t, 5*time.Second, r.took)
	})
}

func TestADeafCreateIsGivenUpAtTheCreateTimeoutAndClosedWhenItComes(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, CreateTimeout: 2 * time.Second}, func(t *testing.T, b *backend) {
		b.creating(deaf(time.Minute))
		all := b.requests(3)
		for _, r := range all {
			require.ErrorIs(t, r.wait().failed(), context.DeadlineExceeded)
			timeoutIn(t, 2*time.Second, r.took)
		}
		b.expect(3, "vacant", func(s PoolStats) int { return s.Vacant })
		b.creating(succeed)
		h := b.acquire()
		time.Sleep(2 * time.Minute)
		require.Zero(t, b.closed(h.Conn()))
		b.mu.Lock()
		require.Len(t, b.conns, 4)
		b.mu.Unlock()
		require.EqualValues(t, 3, b.pool.Stats().RetiredUnwanted, "the late ones")
		b.balanced()
	})
}

func TestACreateThatHeedsItsContextTellsWhatWentWrong(t *testing.T) {
	virtual(t, PoolOptions{CreateTimeout: time.Second}, func(t *testing.T, b *backend) {
		b.creating(func(ctx context.Context, _ *Conn) error {
			<-ctx.Done()
			return fmt.Errorf("no route: %w", errRefused)
		})
		r := b.request(b.ctx).wait()
		require.ErrorIs(t, r.failed(), errRefused)
		require.Equal(t, time.Second, r.took)
	})
}

func TestTheServerNeverSeesMoreThanMaxSizeThatAreNotGivenUp(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, CreateTimeout: time.Second}, func(t *testing.T, b *backend) {
		b.creating(inTurn(deaf(5*time.Second), take(900*time.Millisecond), deaf(1005*time.Millisecond), take(10*time.Second), succeed))
		for range 40 {
			ctx, cancel := context.WithTimeout(b.ctx, 250*time.Millisecond)
			b.launch(ctx, b.pool.Acquire, func(h *held) { time.Sleep(300 * time.Millisecond); h.Discard() })
			time.Sleep(50 * time.Millisecond)
			defer cancel()
		}
		time.Sleep(time.Minute)
	}) // which sees to the peak
}

type codeError struct{ code int }

func (e *codeError) Error() string { return fmt.Sprint("code ", e.code) }

func TestTheErrorOfACreateReachesTheRequester(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second).then(fail(errors.Join(errRefused, &codeError{42}))))
		r := b.request(b.ctx).wait()
		require.Equal(t, time.Second, r.took)
		require.ErrorIs(t, r.failed(), errRefused)
		var code *codeError
		require.ErrorAs(t, r.err, &code)
		require.Equal(t, 42, code.code)
		var op *PoolError
		require.ErrorAs(t, r.err, &op)
		require.Equal(t, "create", op.Op)
		require.ErrorIs(t, b.pool.Stats().LastError, errRefused)
		require.EqualValues(t, 1, b.pool.Stats().CreateFailures)
	})
}

func TestFailedCreatesLoseNoPlace(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		for range 50 {
			require.ErrorIs(t, b.request(b.ctx).failed(), errRefused)
		}
		b.creating(succeed)
		b.acquireAll(2)
	})
}

func TestAFailedCreateFailsOneAndLetsTheNextTry(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second).then(inTurn(fail(errRefused), succeed)))
		first, second, third := b.request(b.ctx), b.request(b.ctx), b.request(b.ctx)
		require.ErrorIs(t, first.wait().err, errRefused)
		require.Equal(t, time.Second, first.took)
		require.NoError(t, second.wait().err)
		require.Equal(t, 2*time.Second, second.took)
		third.waits()
	})
}

func TestRequestersOfARefusedBackendAllHaveTheRealErrorAtOnce(t *testing.T) {
	for name, prepare := range map[string]func(b *backend){
		"from empty":              func(*backend) {},
		"beside a lease":          func(b *backend) { b.acquire() },
		"after a slow connection": func(b *backend) { b.creating(take(150 * time.Millisecond)); b.acquire().Discard() },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
				prepare(b)
				before := b.creates
				b.creating(take(time.Millisecond).then(fail(errRefused)))
				ctx, cancel := context.WithTimeout(b.ctx, time.Second)
				defer cancel()
				var all []*request
				for range 100 {
					all = append(all, b.launch(ctx, b.pool.Acquire, nil))
				}
				for _, r := range all {
					require.ErrorIs(t, r.wait().err, errRefused)
					require.LessOrEqual(t, r.took, 100*time.Millisecond)
				}
				require.LessOrEqual(t, b.creates-before, 110)
			})
		})
	}
}

func TestAReleaseSavesAWaiterFromTheErrorOfItsCreate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.creating(take(time.Second).then(fail(errRefused)))
		r := b.request(b.ctx)
		time.Sleep(500 * time.Millisecond)
		b.release(h)
		require.Same(t, h.Conn(), r.served().Conn())
	})
}

func TestTheErrorOfACreateIsNotForThoseWhoCameAfterItBegan(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		b.creating(take(3 * time.Second).then(inTurn(fail(errRefused), succeed)))
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		b.request(ctx).wait().failed()
		r := b.request(b.ctx).wait()
		require.NoError(t, r.err)
		require.Equal(t, 5*time.Second, r.took)
		b.created(2)
	})
}

func TestAnAcquireAfterTheBackendHasHealedSucceeds(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Millisecond).then(fail(errRefused)))
		for range 20 {
			b.request(b.ctx).wait().failed()
		}
		b.creating(succeed)
		r := b.request(b.ctx)
		r.served()
		require.Zero(t, r.took)
	})
}

func TestNobodyDialsForNobody(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		b.request(b.ctx).failed()
		time.Sleep(time.Hour)
		b.created(1)
	})
}

func TestAPanicInCreateIsAnErrorWithItsStack(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.creating(inTurn(panicking("oh no"), panicking(io.ErrUnexpectedEOF), exit, succeed))
		first, second, third, fourth := b.request(b.ctx), b.request(b.ctx), b.request(b.ctx), b.request(b.ctx)
		require.ErrorContains(t, first.failed(), "oh no")
		require.ErrorContains(t, first.failed(), "helpers_test.go", "the stack")
		require.ErrorContains(t, second.failed(), io.ErrUnexpectedEOF.Error())
		require.ErrorContains(t, third.failed(), "create")
		require.ErrorContains(t, third.failed(), "goroutine", "the stack")
		fourth.served()
		require.EqualValues(t, 3, b.pool.Stats().CreateFailures)
	})
}

func TestACreateThatReturnsNothingIsAnError(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		usual := b.pool.context.create
		b.pool.context.create = func(context.Context) (*Conn, error) { return nil, nil }
		require.ErrorContains(t, b.request(b.ctx).failed(), "neither")
		b.pool.context.create = usual
		b.acquire()
	})
}

func TestAConnectionThatComesWithAnErrorIsClosed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		usual := b.pool.context.create
		var conn *Conn
		b.pool.context.create = func(ctx context.Context) (*Conn, error) {
			conn, _ = b.create(ctx)
			return conn, errRefused
		}
		require.ErrorIs(t, b.request(b.ctx).failed(), errRefused)
		require.Equal(t, 1, b.closed(conn))
		b.balanced()
		b.pool.context.create = usual
		b.acquire()
	})
}

func TestMaxConcurrentCreates(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 20, MaxConcurrentCreates: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		for _, r := range b.requests(20) {
			require.NoError(t, r.wait().err)
			require.LessOrEqual(t, r.took, 12*time.Second)
		}
		b.peaked(2)
	})
}

func TestMaxConcurrentCreatesHoldsWhenTheyFail(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 20, MaxConcurrentCreates: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Millisecond).then(fail(errRefused)))
		for _, r := range b.requests(40) {
			require.ErrorIs(t, r.wait().err, errRefused)
		}
		b.peaked(2)
	})
}

func TestMaxConcurrentCreatesHoldsForWarmAndForRequesters(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 20, MaxConcurrentCreates: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		all := b.requests(6)
		require.NoError(t, b.pool.Warm(b.ctx, 12, nil))
		for _, r := range all {
			r.wait().served()
		}
		b.peaked(4)
	})
	virtual(t, PoolOptions{MaxSize: 20, MaxConcurrentCreates: 2}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second))
		require.NoError(t, b.pool.Warm(b.ctx, 12, nil))
		b.peaked(2)
	})
}

func TestMaxConcurrentCreatesHoldsForAWarmThatFails(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 20, MaxConcurrentCreates: 2}, func(t *testing.T, b *backend) {
		b.creating(inTurn(take(time.Millisecond).then(fail(errRefused)), deaf(time.Second)))
		require.ErrorIs(t, b.pool.Warm(b.ctx, 12, nil), errRefused)
		time.Sleep(time.Minute)
		b.peaked(2)
	})
}

func TestNobodyWaitsLongerThanACreateMayTakeForABlackHole(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50, CreateTimeout: 2 * time.Second}, func(t *testing.T, b *backend) {
		b.creating(deaf(time.Hour))
		for _, r := range b.requests(50) {
			require.ErrorIs(t, r.wait().failed(), context.DeadlineExceeded)
			timeoutIn(t, 2*time.Second, r.took)
		}
	})
}

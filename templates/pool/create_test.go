package pool

import (
	"context"
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

func TestCreatesDoNotPileUpWhenRequestersGiveUp(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
		b.creating(take(9 * time.Second))
		for range 30 {
			ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
			b.request(ctx).wait().failed()
			cancel()
		}
		creates := 1
		if hasDemand { // one more in an eighth of CreateTimeout, as the earlier ones may hang
			creates += 2
		}
		b.created(creates)
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

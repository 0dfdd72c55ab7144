package pool

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Bugs that other pools had, of docs/bugs.md, as far as no other test replays them.

// Bug 5, of vitess: what refreshed idle connections held the places that requesters could have had.
//
//poolgen:if hasIdle
func TestACreateForMinIdleHoldsNoRequesterUp(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, MinIdle: 1}, func(t *testing.T, b *backend) {
		b.creating(inTurn(deaf(8*time.Second), take(10*time.Millisecond)))
		time.Sleep(time.Second)
		b.created(1)
		h := b.request(b.ctx).wait().held
		require.NotNil(t, h)
		require.Less(t, time.Since(b.conns[h.Conn()].born), time.Second)
		require.Equal(t, 1, b.conns[h.Conn()].number, "it did not wait for the slow one")
	})
}

// Bug 9, of net/http: a failed dial kept its place under the limit of all.
//
//poolgen:if hasKeyed
func TestAFailedCreateGivesItsPartOfTheTotalBack(t *testing.T) {
	virtualFleet(t, PoolsOptions{MaxTotal: 2}, func(t *testing.T, f *fleet) {
		f.on("a").creating(fail(errRefused))
		for range 5 {
			require.ErrorIs(t, f.request("a").wait().err, errRefused)
		}
		f.acquire("b")
		f.acquire("c")
	})
}

// Bug 11, of HikariCP: a pool all of whose connections were held while many gave up was not filled again.
func TestASaturatedPoolThatManyHaveLeftRecovers(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 20}, func(t *testing.T, b *backend) {
		held := b.acquireAll(20)
		ctx, cancel := context.WithTimeout(b.ctx, time.Millisecond)
		defer cancel()
		var impatient []*request
		for range 200 {
			impatient = append(impatient, b.launch(ctx, b.pool.Acquire, nil))
		}
		for _, r := range impatient {
			require.ErrorIs(t, r.wait().err, context.DeadlineExceeded)
		}
		for i, h := range held {
			if i%2 == 0 {
				h.Discard()
			} else {
				h.Release()
			}
		}
		synctest.Wait()
		require.Zero(t, b.waiting())
		b.acquireAll(20)
		b.created(30)
	})
}

// Bug 12, of HikariCP: a create that hung kept all others from being begun.
func TestACreateThatHangsKeepsNoOtherFromBeingBegun(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4, CreateTimeout: time.Minute}, func(t *testing.T, b *backend) {
		b.creating(inTurn(deaf(time.Hour), take(time.Second)))
		all := b.requests(4)
		time.Sleep(2 * time.Second)
		for _, r := range all[:3] {
			r.served()
		}
		time.Sleep(2 * time.Minute) // the place of the one that hangs is given up
		all[3].over()
		if all[3].err != nil {
			b.acquire()
		}
	})
}

// Bug 17, of database/sql: a requester who gave up in the instant in which its create failed.
func TestACancelAndAFailedCreateInTheSameInstantLoseNothing(t *testing.T) {
	for range 50 {
		virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
			b.creating(deaf(time.Second).then(fail(errRefused)))
			ctx, cancel := context.WithTimeout(b.ctx, time.Second)
			defer cancel()
			all := []*request{b.launch(ctx, b.pool.Acquire, nil), b.launch(ctx, b.pool.Acquire, nil), b.launch(b.ctx, b.pool.Acquire, nil)}
			for _, r := range all {
				require.Error(t, r.wait().err)
				require.Nil(t, r.held)
			}
			time.Sleep(2 * time.Second) // a create that was begun for the last of them fails too
			require.Zero(t, b.waiting())
			b.heal()
			b.acquireAll(2)
		})
	}
}

// Bug 43, of vitess: Close in the instant in which somebody begins to wait.
func TestNobodyWaitsForAPoolThatIsClosedMeanwhile(t *testing.T) {
	for range 200 {
		virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
			h := b.acquire()
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() {
					_, err := b.pool.Acquire(b.ctx)
					require.ErrorIs(t, err, ErrPoolClosed)
				})
			}
			all.Go(func() { b.closePool(time.Second) })
			all.Wait()
			b.release(h)
		})
	}
}

// Bug 52, of go-redis: all connections die at once, and all requesters dial at once.
//
//poolgen:if hasCheck && hasNeeds && hasLimits
func TestTheDeathOfAllConnectionsMakesNoDialStorm(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 20, MaxConcurrentCreates: 2}, func(t *testing.T, b *backend) {
		b.release(b.acquireAll(20)...)
		b.kill()
		b.allDue()
		b.creating(take(100 * time.Millisecond))
		b.set(func() { b.peakCalls, b.creates = 0, 0 })
		var all []*request
		for range 100 {
			all = append(all, b.launch(b.ctx, b.pool.Acquire, func(h *held) {
				time.Sleep(2 * time.Millisecond)
				h.Release()
			}))
		}
		for _, r := range all {
			require.NoError(t, r.wait().err)
			require.Less(t, r.took, time.Second)
		}
		b.peaked(2)
	})
}

// Bug 54, of database/sql and net/http: fewer connections may be idle than open, and steady work dials for ever.
func TestSteadyWorkNeedsNoMoreConnectionsThanItHasWorkers(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 20}, func(t *testing.T, b *backend) {
		b.release(b.acquireAll(10)...)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				for range 200 {
					h := b.acquire()
					time.Sleep(time.Millisecond)
					h.Release()
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Wait()
		b.created(10)
	})
}

// Bug 80, of go-redis: dials under one lock, so that the last of many requesters waited for the time-outs of all.
func TestRequestersOfADeafServerEndAtTheirOwnDeadlines(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
		b.creating(deaf(time.Hour))
		var all []*request
		for i := range 20 {
			ctx, cancel := context.WithTimeout(b.ctx, time.Duration(i+1)*100*time.Millisecond)
			defer cancel()
			all = append(all, b.launch(ctx, b.pool.Acquire, nil))
		}
		for i, r := range all {
			require.ErrorIs(t, r.wait().err, context.DeadlineExceeded)
			require.Equal(t, time.Duration(i+1)*100*time.Millisecond, r.took)
		}
	})
}

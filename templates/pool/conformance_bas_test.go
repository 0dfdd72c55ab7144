package pool

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// stock gives the pool n idle connections, as Warm would, which not every pool has.
func (b *backend) stock(n int) {
	b.Helper()
	b.release(b.acquireAll(n)...)
}

// waiting returns how many requesters wait in the queue, also of a pool without Stats.
func (b *backend) waiting() int {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	return b.pool.stats.Waiting
}

func TestBAS01AnEmptyPoolCreatesOneConnectionForItsRequester(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		h := b.acquire()
		require.Equal(t, 1, h.id, "the fields of the connection are the lease's")
		if hasOutside {
			require.False(t, h.Fresh(), "one created into a place of the pool is pooled")
		}
		b.created(1)
	})
}

func TestBAS02AReleasedConnectionIsUsedAgain(t *testing.T) {
	virtual(t, PoolOptions{}, func(t *testing.T, b *backend) {
		first := b.acquire()
		b.release(first)
		for range 10 {
			again := b.acquire()
			require.Same(t, first.Conn(), again.Conn())
			b.release(again)
		}
		b.created(1)
	})
}

func TestBAS03APoolThatIsLeftAloneCreatesNothingAndRunsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, PoolOptions{})
		time.Sleep(time.Hour)
		b.created(0)
	}) // which would not end if the pool, which nobody closes, had a goroutine
}

func TestBAS04APoolWithoutPlacesIsAnErrorThatNamesTheOption(t *testing.T) {
	for _, size := range []int{-1, math.MinInt} {
		pool, err := NewPool(&server{}, PoolOptions{MaxSize: size})
		require.ErrorContains(t, err, "MaxSize")
		require.ErrorContains(t, err, fmt.Sprint(size))
		require.Nil(t, pool)
	}
}

func TestBAS04TheErrorOfAPoolWithoutPlacesBlamesNothingElse(t *testing.T) {
	_, err := NewPool(&server{}, PoolOptions{MaxSize: -1})
	require.ErrorContains(t, err, "MaxSize is -1")
}

func TestBAS06ChangingTheOptionsOfAPoolThatExistsHasNoEffect(t *testing.T) {
	options := PoolOptions{MaxSize: 2, CreateTimeout: time.Minute}
	b := newBackend(t, options)
	defer b.finish(b.rest)
	var all sync.WaitGroup
	all.Go(func() {
		for n := range 1000 {
			options.MaxSize, options.CreateTimeout = n, time.Duration(n)
		}
	})
	for range 1000 {
		b.acquire().Release()
	}
	all.Wait()
	if hasStats {
		require.Equal(t, 2, b.pool.Stats().MaxSize)
	}
}

func TestBAS07HoldersHaveDistinctConnections(t *testing.T) {
	b := newBackend(t, PoolOptions{MaxSize: 16})
	defer b.finish(b.rest)
	for range 100 {
		var mu sync.Mutex
		var all, holding sync.WaitGroup
		holders := map[*Conn]int{}
		holding.Add(16)
		for range 16 {
			all.Go(func() {
				h := b.acquire()
				mu.Lock()
				holders[h.Conn()]++
				mu.Unlock()
				holding.Done()
				holding.Wait() // while everybody has one
				h.Release()
			})
		}
		all.Wait()
		require.Len(t, holders, 16)
	}
}

// There is no order among idle connections as of a stack or a queue: a search begins at one of the lowest
// places, whichever, and takes the first idle connection from there on upwards.
func TestBAS08TheLowestPlacesStayInUseAndTheOthersFallIdle(t *testing.T) {
	lanes := 4 * runtime.GOMAXPROCS(0)
	virtual(t, PoolOptions{MaxSize: 2 * lanes}, func(t *testing.T, b *backend) {
		b.stock(2 * lanes)
		for range 20 * lanes {
			h := b.request(b.ctx).served()
			require.LessOrEqual(t, h.id, lanes)
			b.release(h)
		}
		b.created(2 * lanes)
	})
}

//poolgen:if hasTry
func TestBAS09TryAcquireReturnsAnIdleConnectionOrThatThereIsNoneAtOnce(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.stock(1)
		idle := b.start(b.ctx, b.pool.TryAcquire)
		idle.served()
		none := b.start(b.ctx, b.pool.TryAcquire)
		require.ErrorIs(t, none.failed(), ErrPoolExhausted)
		require.Zero(t, idle.took+none.took)
		if hasStats {
			require.EqualValues(t, 1, b.pool.Stats().Rejected)
		}
		b.created(1)
	})
}

// TryAcquire does wait for the create that it starts, but as long as its context allows.
//
//poolgen:if hasTry && hasStats
func TestBAS10TheCreateThatATryAcquireLeavesGoesOnAndItsFailureIsCounted(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		ctx, cancel := context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		b.creating(take(2 * time.Second).then(inTurn(fail(errRefused), succeed)))
		require.ErrorIs(t, b.start(ctx, b.pool.TryAcquire).wait().err, context.DeadlineExceeded)
		time.Sleep(2 * time.Second)
		require.EqualValues(t, 1, b.pool.Stats().CreateFailures)
		require.ErrorIs(t, b.pool.Stats().LastError, errRefused)

		ctx, cancel = context.WithTimeout(b.ctx, time.Second)
		defer cancel()
		b.start(ctx, b.pool.TryAcquire).wait().failed()
		time.Sleep(2 * time.Second)
		b.expect(1, "idle", func(s PoolStats) int { return s.Idle })
	})
}

func TestBAS11ACreateSeesTheRequestersValuesButNotItsDeadline(t *testing.T) {
	virtual(t, PoolOptions{CreateTimeout: 7 * time.Second}, func(t *testing.T, b *backend) {
		type key struct{}
		var value any
		var left time.Duration
		b.creating(func(ctx context.Context, _ *Conn) error {
			deadline, _ := ctx.Deadline()
			value, left = ctx.Value(key{}), time.Until(deadline)
			return take(time.Second)(ctx, nil)
		})
		ctx, cancel := context.WithTimeout(context.WithValue(b.ctx, key{}, "mine"), 3*time.Second)
		r := b.request(ctx)
		cancel()
		r.failed()
		require.Equal(t, "mine", value)
		require.Equal(t, 7*time.Second, left)
		time.Sleep(2 * time.Second)
		b.acquire()
		b.created(1)
	})
}

//poolgen:if hasWith
func TestBAS12WithEndsTheLeaseHoweverItsFunctionEnds(t *testing.T) {
	for name, end := range map[string]func() error{
		"nil":    func() error { return nil },
		"error":  func() error { return errDirty },
		"panic":  func() error { panic("oh no") },
		"Goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
				called := 0
				go func() {
					defer func() { _ = recover() }()
					_ = b.pool.With(b.ctx, func(*Conn) error { called++; return end() })
				}()
				synctest.Wait()
				require.Equal(t, 1, called)
				b.request(b.ctx).served()
			})
		})
	}
}

//poolgen:if hasAge
func TestBAS13ALeaseTellsTheAgeAndTheUsesOfItsConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		begun := time.Now()
		h := b.acquire()
		require.Equal(t, begun, h.Created())
		require.EqualValues(t, 1, h.Uses(), "which tells that it is new")
		time.Sleep(time.Minute)
		waiter := b.request(b.ctx)
		b.release(h)
		h = waiter.served()
		require.Equal(t, begun, h.Created())
		require.EqualValues(t, 2, h.Uses())
		b.release(h)
		h = b.acquire()
		require.EqualValues(t, 3, h.Uses())

		h.Discard()
		h = b.acquire()
		require.Equal(t, time.Now(), h.Created())
		require.EqualValues(t, 1, h.Uses(), "it is another connection")
	})
}

//poolgen:if hasAge
func TestBAS13ALeaseTellsHowLongItsConnectionHadBeenIdle(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		h := b.acquire()
		require.Zero(t, h.IdleTime())
		time.Sleep(time.Minute)
		b.release(h)
		time.Sleep(5 * time.Second)
		h = b.acquire()
		require.Equal(t, 5*time.Second, h.IdleTime())

		waiter := b.request(b.ctx)
		time.Sleep(time.Second)
		b.release(h)
		require.Zero(t, waiter.served().IdleTime())
	})
}

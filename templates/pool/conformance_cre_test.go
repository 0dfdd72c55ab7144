package pool

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCRE01TheErrorOfACreateReachesTheRequester(t *testing.T) {
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
		if hasStats {
			require.ErrorIs(t, b.pool.Stats().LastError, errRefused)
			require.EqualValues(t, 1, b.pool.Stats().CreateFailures)
		}
	})
}

func TestCRE02FailedCreatesLoseNoPlace(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		for range 50 {
			require.ErrorIs(t, b.request(b.ctx).failed(), errRefused)
		}
		b.creating(succeed)
		b.acquireAll(2)
	})
}

func TestCRE03AFailedCreateFailsOneAndLetsTheNextTry(t *testing.T) {
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

func TestCRE04RequestersOfARefusedBackendAllHaveTheRealErrorAtOnce(t *testing.T) {
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

func TestCRE05CreatesThatFailSlowlyDoNotHoldWaitersPastTheirDeadlines(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		b.creating(take(4 * time.Second).then(fail(errRefused)))
		var all []*request
		for i := range 10 {
			ctx, cancel := context.WithTimeout(b.ctx, time.Duration(10-i)*time.Second/2)
			defer cancel()
			all = append(all, b.request(ctx))
		}
		for i, r := range all {
			deadline := time.Duration(10-i) * time.Second / 2
			if r.wait(); i == 0 { // that one is the oldest
				require.ErrorIs(t, r.err, errRefused)
				require.Equal(t, 4*time.Second, r.took)
				continue
			}
			require.ErrorIs(t, r.err, context.DeadlineExceeded)
			require.Equal(t, deadline, r.took)
		}
	})
}

func TestCRE06AReleaseSavesAWaiterFromTheErrorOfItsCreate(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2}, func(t *testing.T, b *backend) {
		h := b.acquire()
		b.creating(take(time.Second).then(fail(errRefused)))
		r := b.request(b.ctx)
		time.Sleep(500 * time.Millisecond)
		b.release(h)
		require.Same(t, h.Conn(), r.served().Conn())
		time.Sleep(time.Second)
		if hasStats {
			require.EqualValues(t, 1, b.pool.Stats().CreateFailures, "which is nobody's")
		}
	})
}

func TestCRE07AnAcquireAfterTheBackendHasHealedSucceeds(t *testing.T) {
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

//poolgen:if hasBreaker
func TestCRE07ABreakerKeepsNobodyOutForMuchLongerThanTheBackendIsDown(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, BreakAfter: 3, BreakTime: time.Second}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		for range 90 { // the last probe fails at 8.2 s
			b.request(b.ctx).failed()
			time.Sleep(100 * time.Millisecond)
		}
		b.creating(succeed)
		time.Sleep(time.Second)
		r := b.request(b.ctx)
		r.served()
		require.Zero(t, r.took)
		b.request(b.ctx).served()
	})
}

// losing has a pool that keeps n idle connections lose them.
//
//poolgen:if hasIdle
func (b *backend) losing(n int) {
	b.Helper()
	synctest.Wait() // until it has them
	for _, h := range b.acquireAll(n) {
		h.Discard()
	}
	b.created(n)
}

// dials has creates fail, and returns the times between them, which b.mu guards.
func (b *backend) dials() *[]time.Duration {
	var last time.Time
	gaps := new([]time.Duration)
	b.creating(func(context.Context, *Conn) error {
		b.set(func() {
			if !last.IsZero() {
				*gaps = append(*gaps, time.Since(last))
			}
			last = time.Now()
		})
		return errRefused
	})
	return gaps
}

//poolgen:if hasIdle
func TestCRE08CreatesForMinIdleThatFailAreTriedLessAndLessOften(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, MinIdle: 1}, func(t *testing.T, b *backend) {
		b.losing(1)
		gaps := b.dials()
		time.Sleep(3 * time.Hour)
		b.closePool(0) // so that the upkeep ends
		b.mu.Lock()
		defer b.mu.Unlock()
		sum, seen := time.Duration(0), map[time.Duration]bool{}
		for i, gap := range *gaps {
			within(t, time.Second, time.Second<<min(i+1, 6), gap, "the pause")
			sum += gap
			seen[gap] = true
		}
		within(t, 20*time.Second, 45*time.Second, sum/time.Duration(len(*gaps)), "a pause on average")
		require.Greater(t, len(seen), 20, "they are random")
	})
}

//poolgen:if hasIdle && hasStats
func TestCRE08CreatesForMinIdleAreSwiftAgainAfterASuccess(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, MinIdle: 1}, func(t *testing.T, b *backend) {
		b.losing(1)
		b.creating(fail(errRefused))
		time.Sleep(time.Hour)
		b.creating(succeed)
		for b.pool.Stats().Idle == 0 {
			time.Sleep(time.Second)
		}
		b.acquire()
		time.Sleep(2 * time.Second)
		b.expect(1, "idle", func(s PoolStats) int { return s.Idle })
		b.closePool(0) // so that the upkeep ends
	})
}

func TestCRE09NobodyDialsForNobody(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 4}, func(t *testing.T, b *backend) {
		b.creating(fail(errRefused))
		b.request(b.ctx).failed()
		time.Sleep(time.Hour)
		b.created(1)
	})
}

//poolgen:if hasIdle
func TestCRE09ABackendThatIsDownForAnHourSeesFewDials(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10, MinIdle: 5}, func(t *testing.T, b *backend) {
		b.losing(5)
		b.creating(fail(errRefused))
		time.Sleep(time.Hour)
		b.closePool(0) // so that the upkeep ends
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Less(t, b.creates, 5*200)
		require.Greater(t, b.creates, 100, "but is not given up: one at a time is tried, at most about once a minute")
	})
}

func TestCRE10ACreateThatReturnsNothingIsAnError(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		usual := b.pool.context.create
		b.pool.context.create = func(context.Context) (*Conn, error) { return nil, nil }
		err := b.request(b.ctx).failed()
		var op *PoolError
		require.ErrorAs(t, err, &op)
		require.Equal(t, "create", op.Op)
		require.ErrorContains(t, err, "neither a connection nor an error")
		b.pool.context.create = usual
		b.acquire()
	})
}

//poolgen:if hasClose
func TestCRE11AConnectionThatComesWithAnErrorIsClosed(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		usual := b.pool.context.create
		var conn *Conn
		b.pool.context.create = func(ctx context.Context) (*Conn, error) {
			conn, _ = b.create(ctx)
			return conn, errRefused
		}
		require.ErrorIs(t, b.request(b.ctx).failed(), errRefused)
		require.Equal(t, 1, b.closed(conn))
		if hasStats {
			b.balanced()
		}
		b.pool.context.create = usual
		b.acquire()
	})
}

// The place of a create that was given up is free at once, so the server may see more than MaxSize
// sockets: those that the pool has not given up never are.
func TestCRE12ADeafCreateIsGivenUpAtTheCreateTimeoutAndClosedWhenItComes(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 3, CreateTimeout: 2 * time.Second}, func(t *testing.T, b *backend) {
		b.creating(deaf(time.Minute))
		all := b.requests(3)
		for _, r := range all {
			require.ErrorIs(t, r.wait().failed(), context.DeadlineExceeded)
			timeoutIn(t, 2*time.Second, r.took)
		}
		if hasStats {
			b.expect(3, "vacant", func(s PoolStats) int { return s.Vacant })
		}
		b.creating(succeed)
		h := b.acquire()
		time.Sleep(2 * time.Minute)
		b.mu.Lock()
		require.Len(t, b.conns, 4)
		b.mu.Unlock()
		b.release(h)
		require.Same(t, h.Conn(), b.acquire().Conn())
		if hasClose && hasStats {
			require.EqualValues(t, 3, b.pool.Stats().RetiredUnwanted, "the late ones")
			b.balanced()
		}
	})
}

// dial is a create that connects to addr, and reads a greeting until its context ends.
func dial(addr string) script {
	return func(ctx context.Context, _ *Conn) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		defer conn.Close()
		deadline, _ := ctx.Deadline()
		if err = conn.SetReadDeadline(deadline); err == nil {
			_, err = io.ReadFull(conn, make([]byte, 5))
		}
		return err
	}
}

// greet accepts connections and hands them to serve, until the test ends.
func greet(t *testing.T, l net.Listener, serve func(net.Conn)) {
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			t.Cleanup(func() { conn.Close() })
			serve(conn)
		}
	})
}

func TestCRE13EveryWayAServerCanBeDownIsAnErrorInTimeAndRecoversAfterwards(t *testing.T) {
	for name, serve := range map[string]func(t *testing.T, l net.Listener){
		"does not listen":     func(_ *testing.T, l net.Listener) { l.Close() },
		"never accepts":       func(t *testing.T, l net.Listener) { t.Cleanup(func() { l.Close() }) },
		"accepts and closes":  func(t *testing.T, l net.Listener) { greet(t, l, func(c net.Conn) { c.Close() }) },
		"accepts and is mute": func(t *testing.T, l net.Listener) { greet(t, l, func(net.Conn) {}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			serve(t, l)
			b := newBackend(t, PoolOptions{MaxSize: 2, CreateTimeout: 100 * time.Millisecond})
			b.creating(dial(l.Addr().String()))
			for range 3 {
				begun := time.Now()
				ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
				_, err := b.pool.Acquire(ctx)
				cancel()
				var op *PoolError
				require.ErrorAs(t, err, &op)
				require.Equal(t, "create", op.Op, "it is the server's fault, not that of the requester's context")
				require.Less(t, time.Since(begun), 2*time.Second)
			}
			healthy, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			greet(t, healthy, func(c net.Conn) { io.WriteString(c, "hello") })
			b.creating(dial(healthy.Addr().String()))
			b.acquire().Release()
			b.finish(b.rest)
		})
	}
}

//poolgen:if hasBreaker
func TestCRE14ABreakerFailsRequestersFastWithTheLastErrorAndProbesOneAtATime(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 10, BreakAfter: 3, BreakTime: 5 * time.Second}, func(t *testing.T, b *backend) {
		b.creating(take(time.Second).then(inTurn(fail(errDirty), fail(errDirty), fail(errRefused), fail(errRefused), succeed)))
		for range 3 {
			b.request(b.ctx).wait().failed()
		}
		refused := func() {
			r := b.request(b.ctx)
			require.ErrorIs(t, r.failed(), errRefused)
			require.Zero(t, r.took)
		}
		refused()
		time.Sleep(4999 * time.Millisecond)
		refused()
		b.created(3)

		time.Sleep(time.Millisecond)
		probe := b.request(b.ctx)
		refused()
		refused()
		b.created(4)
		require.ErrorIs(t, probe.wait().err, errRefused)
		refused()
		time.Sleep(4999 * time.Millisecond)
		refused()
		b.created(4)

		time.Sleep(time.Millisecond)
		probe = b.request(b.ctx)
		refused()
		probe.wait().served()
		b.creating(succeed)
		for range 9 {
			b.request(b.ctx).served()
		}
	})
}

func TestCRE15APoolThatIsClosedDuringACreateFailsTheRequesterAndClosesTheLateConnection(t *testing.T) {
	for name, slow := range map[string]script{"heeding its context": take(3 * time.Second), "deaf": deaf(3 * time.Second)} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 3}, func(t *testing.T, b *backend) {
				b.creating(slow)
				r := b.request(b.ctx)
				closed := b.closeLater(b.ctx)
				require.ErrorIs(t, r.failed(), ErrPoolClosed)
				require.Zero(t, r.took)
				require.NoError(t, <-closed)
				b.created(1)
			}) // which sees to the late connection
		})
	}
}

//poolgen:if hasRetry
func TestCRE16ACreateIsTriedAgainAsOftenAsCreateRetriesSaysAndNoLonger(t *testing.T) {
	for _, retries := range []int{0, 1, 4} {
		virtual(t, PoolOptions{MaxSize: 1, CreateRetries: retries}, func(t *testing.T, b *backend) {
			begun := time.Now()
			var last time.Duration
			b.creating(func(context.Context, *Conn) error { last = time.Since(begun); return errRefused })
			r := b.request(b.ctx).wait()
			require.ErrorIs(t, r.failed(), errRefused)
			require.Equal(t, last, r.took, "there is no pause after the last")
			b.created(retries + 1)
			if hasStats {
				require.EqualValues(t, retries+1, b.pool.Stats().CreateFailures)
			}
			time.Sleep(time.Hour)
			b.created(retries + 1)
		})
	}
}

package pool

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// period is HealthCheckPeriod in these tests.
const period = 8 * time.Second

// checkTimes has checks take d, and returns when each connection's checks began, and the most at a time.
func (b *backend) checkTimes(d time.Duration) (times func() map[*Conn][]time.Time, most func() int) {
	var mu sync.Mutex
	all, now, peak := map[*Conn][]time.Time{}, 0, 0
	b.checking(func(ctx context.Context, c *Conn) error {
		mu.Lock()
		all[c] = append(all[c], time.Now())
		now++
		peak = max(peak, now)
		mu.Unlock()
		err := take(d)(ctx, c)
		mu.Lock()
		now--
		mu.Unlock()
		return err
	})
	return func() map[*Conn][]time.Time { synctest.Wait(); return all }, func() int { synctest.Wait(); return peak }
}

//poolgen:if hasBackground
func TestHLT10IdleConnectionsAreCheckedOncePerPeriodAndNotAllAtOnce(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 7, 11, 20} {
		ageing(t, PoolOptions{MaxSize: 20, HealthCheckPeriod: period}, func(t *testing.T, b *backend) {
			times, most := b.checkTimes(time.Millisecond)
			b.idle(n)
			time.Sleep(10*period + period/2)
			require.Len(t, times(), n, "all are checked")
			for _, of := range times() {
				require.GreaterOrEqual(t, len(of), 9, "of %d", n)
				require.LessOrEqual(t, len(of), 11, "of %d", n)
				for i := range of[1:] {
					within(t, period*3/4, period*3/2, of[i+1].Sub(of[i]), "between two checks")
				}
			}
			require.LessOrEqual(t, most(), (n+3)/4, "at a time")
			b.created(n)
		})
	}
}

// Those that are created together are not checked together.
//
//poolgen:if hasBackground
func TestHLT10TheChecksOfConnectionsBornTogetherAreSpread(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 20, HealthCheckPeriod: period}, func(t *testing.T, b *backend) {
		times, _ := b.checkTimes(0)
		b.idle(20)
		born := time.Now()
		time.Sleep(2 * period)
		var first []time.Time
		for _, of := range times() {
			first = append(first, of[0])
		}
		slices.SortFunc(first, time.Time.Compare)
		require.Len(t, first, 20)
		require.GreaterOrEqual(t, first[19].Sub(first[0]), period/4)
		require.Less(t, first[0].Sub(born), period, "pools born together would all begin when the period is over")
	})
}

//poolgen:if hasBackground
func TestHLT10ADeadIdleConnectionIsFoundWithoutARequest(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 5, HealthCheckPeriod: period}, func(t *testing.T, b *backend) {
		b.idle(5)
		b.kill()
		time.Sleep(period)
		b.left(0)
		require.EqualValues(t, 5, b.pool.Stats().RetiredUnhealthy)
		r := b.request(b.ctx)
		r.served()
		b.checked(5)
	})
}

//poolgen:if hasBackground
func TestHLT10ByDefaultNothingIsCheckedInTheBackground(t *testing.T) {
	options := PoolOptions{MaxSize: 5}
	options.MaxIdle = 5 //poolgen:if hasIdle
	ageing(t, options, func(t *testing.T, b *backend) {
		b.allDue()
		b.idle(5)
		time.Sleep(100 * period)
		b.checked(0)
	})
}

// The share of the pool that is under check in the background is a quarter, rounded up, however long checks take.
//
//poolgen:if hasBackground
func TestHLT11AtMostAQuarterOfThePoolIsCheckedAtATime(t *testing.T) {
	for _, d := range []time.Duration{0, period / 10, period, 10 * period} {
		ageing(t, PoolOptions{MaxSize: 20, HealthCheckPeriod: period, HealthCheckTimeout: 20 * period}, func(t *testing.T, b *backend) {
			_, most := b.checkTimes(d)
			b.idle(20)
			during(10*period, period/40, func() {
				synctest.Wait()
				require.GreaterOrEqual(t, b.pool.Stats().Idle, 15)
			})
			require.LessOrEqual(t, most(), 5)
			require.GreaterOrEqual(t, most(), 1)
		})
	}
}

//poolgen:if hasBackground
func TestHLT11WithSlowChecksEveryConnectionGetsItsTurn(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 20, HealthCheckPeriod: period, HealthCheckTimeout: 2 * period}, func(t *testing.T, b *backend) {
		times, _ := b.checkTimes(period)
		b.idle(20)
		time.Sleep(20 * period)
		require.Len(t, times(), 20, "places at the end have their turn, too")
	})
}

//poolgen:if hasBackground
func TestHLT12ARequesterDoesNotWaitForACheckInTheBackgroundWhileThereIsRoom(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 2, HealthCheckPeriod: period, HealthCheckTimeout: time.Minute}, func(t *testing.T, b *backend) {
		b.idle(1)
		b.checking(take(time.Minute))
		time.Sleep(period)
		b.expect(1, "checking", func(s PoolStats) int { return s.Checking })
		r := b.request(b.ctx)
		r.served()
		require.Zero(t, r.took)
		b.created(2)
	})
}

//poolgen:if hasBackground
func TestHLT12WithoutRoomARequesterGetsTheConnectionThatIsCheckedInTheBackground(t *testing.T) {
	for name, slow := range map[string]script{"heeding its context": take(time.Hour), "deaf": deaf(time.Hour), "healthy": take(time.Second)} {
		t.Run(name, func(t *testing.T) {
			ageing(t, PoolOptions{MaxSize: 1, HealthCheckPeriod: period, HealthCheckTimeout: 2 * time.Second}, func(t *testing.T, b *backend) {
				b.idle(1)
				b.checking(slow)
				during(2*period, time.Millisecond, func() {
					if b.pool.Stats().Checking == 1 {
						r := b.request(b.ctx).wait()
						b.release(r.served())
						require.LessOrEqual(t, r.took, 2*time.Second+40*time.Millisecond)
						b.checking(succeed)
					}
				})
				if name == "deaf" {
					time.Sleep(time.Hour)
				}
			})
		})
	}
}

// A requester who comes while one connection is black-holed is served by the others.
//
//poolgen:if hasBackground
func TestHLT12ABlackHoledConnectionHoldsUpNobody(t *testing.T) {
	ageing(t, PoolOptions{MaxSize: 4, HealthCheckPeriod: period, HealthCheckTimeout: 2 * time.Second}, func(t *testing.T, b *backend) {
		b.idle(4)
		b.checking(inTurn(take(time.Hour), succeed))
		during(2*period, period/100, func() {
			r := b.request(b.ctx)
			b.release(r.served())
			require.Zero(t, r.took)
		})
		require.EqualValues(t, 1, b.pool.Stats().RetiredUnhealthy)
	})
}

// The user's hook knows when the connection was used last.
//
//poolgen:if hasCheck && hasNeeds
func TestHLT15AConnectionUsedAMomentAgoIsNotChecked(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 1}, func(t *testing.T, b *backend) {
		const window = time.Second
		used := time.Now()
		b.needing(func(*Conn) bool { return time.Since(used) >= window })
		b.release(b.acquire())
		for checks, idle := range []time.Duration{0, window - 1, window, window - 1, 10 * window} {
			used = time.Now()
			time.Sleep(idle)
			b.release(b.acquire())
			b.checked([]int{0, 0, 1, 1, 2}[checks])
		}
		b.created(1)
	})
}

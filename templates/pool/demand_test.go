package pool

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const createTime = 150 * time.Millisecond

// load has n requesters come at once, each of which uses its lease for that time, and returns how long
// they waited, in order.
func (b *backend) load(n int, use time.Duration) []time.Duration {
	var all []*request
	for range n {
		all = append(all, b.launch(b.ctx, b.pool.Acquire, func(h *held) { time.Sleep(use); h.Release() }))
	}
	var took []time.Duration
	for _, r := range all {
		require.NoError(b, r.wait().err)
		took = append(took, r.took)
	}
	slices.Sort(took)
	return took
}

// connections returns how many the pool has when no create is under way any more.
func (b *backend) connections() int {
	time.Sleep(time.Minute)
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open)
}

//poolgen:if hasDemand
func TestRepeatedSpikesMakeNoDialStormEither(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		b.idle(5)
		for i := range 5 {
			took := b.load(50, 2*time.Millisecond)
			require.LessOrEqual(t, took[49], 25*time.Millisecond)
			require.LessOrEqual(t, b.connections(), 6+i)
		}
	})
}

//poolgen:if hasDemand
func TestTheSpikesRequestersAreServedInOrder(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		b.idle(5)
		held := b.acquireAll(5)
		all := b.requests(45)
		for i, r := range all {
			b.release(held[i])
			held = append(held, r.served())
		}
	})
}

//poolgen:if hasDemand
func TestALastingLoadGetsTheConnectionsItNeeds(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		b.idle(5)
		took := b.load(50, time.Second)
		require.Zero(t, took[4])
		require.LessOrEqual(t, took[49], createTime*13/10, "all: %v", took)
		require.Equal(t, 50, b.connections())
	})
}

// The queue moves fast, but there always is one.
//
//poolgen:if hasDemand
func TestALastingLoadOfShortLeasesGetsMoreConnectionsOneByOne(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		b.idle(5)
		var load sync.WaitGroup
		begun := time.Now()
		for range 20 {
			load.Go(func() {
				for time.Since(begun) < 20*createTime {
					h := b.acquire()
					time.Sleep(2 * time.Millisecond)
					h.Release()
				}
			})
		}
		load.Wait()
		require.GreaterOrEqual(t, b.connections(), 15)
	})
}

//poolgen:if hasDemand
func TestAColdSpikeOfShortLeases(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		took := b.load(50, 2*time.Millisecond)
		require.Equal(t, createTime, took[0])
		require.LessOrEqual(t, took[49], createTime+25*time.Millisecond)
		require.LessOrEqual(t, b.connections(), 10)
	})
}

//poolgen:if hasDemand
func TestAColdSpikeOfLongLeases(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		took := b.load(50, time.Second)
		require.Equal(t, createTime, took[0])
		require.LessOrEqual(t, took[49], createTime*23/10, "all: %v", took)
	})
}

//poolgen:if hasDemand
func TestOneRequesterMakesOneConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 50}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		for range 100 {
			b.release(b.acquire())
		}
		b.created(1)
	})
}

//poolgen:if hasDemand
func TestAWaiterBehindALeaseThatLastsForEverGetsANewConnection(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 5}, func(t *testing.T, b *backend) {
		b.creating(take(createTime))
		b.acquireAll(1)
		for range 4 {
			r := b.request(b.ctx).wait()
			require.NoError(t, r.err)
			require.Equal(t, createTime, r.took)
		}
	})
}

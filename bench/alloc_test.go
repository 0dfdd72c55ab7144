package bench

import (
	"context"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestAcquireAndReleaseOfAWarmedPoolAllocateNothing(t *testing.T) {
	skipWithRaceDetector(t)
	ctx := context.Background()
	pool, err := NewCheckedPool(CheckedPoolOptions{MaxSize: 4})
	require.NoError(t, err)
	require.NoError(t, pool.Warm(ctx, 4, nil))
	for name, acquire := range map[string]func(context.Context) (CheckedLease, error){
		"Acquire": pool.Acquire, "TryAcquire": pool.TryAcquire, "AcquireOrCreate": pool.AcquireOrCreate,
	} {
		allocs := testing.AllocsPerRun(1000, func() {
			lease, err := acquire(ctx)
			if err != nil {
				t.Error(err)
			}
			lease.Release()
		})
		require.Zero(t, allocs, name)
	}
}

func TestHOK10HooksThatATypeDoesNotHaveAllocateNothing(t *testing.T) {
	skipWithRaceDetector(t)
	ctx := context.Background()
	pool, err := NewBarePool(BarePoolOptions{MaxSize: 1})
	require.NoError(t, err)
	for range 2 {
		allocs := testing.AllocsPerRun(1000, func() {
			lease, err := pool.Acquire(ctx)
			if err != nil {
				t.Error(err)
			}
			lease.Release()
		})
		require.Zero(t, allocs)
	}
	require.NoError(t, pool.Close(ctx))
}

// Two goroutines hand one connection to each other: whoever acquires it has to wait until the other one,
// which sees that somebody waits, releases it.
func TestAWaitingAcquireAllocatesNothing(t *testing.T) {
	skipWithRaceDetector(t)
	ctx, stop := context.WithCancel(context.Background())
	pool, err := NewCheckedPool(CheckedPoolOptions{MaxSize: 1})
	require.NoError(t, err)
	waits := func() uint64 { return pool.Stats().Waits }
	handOn := func() error {
		lease, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		for pool.Stats().Waiting == 0 && ctx.Err() == nil {
			runtime.Gosched()
		}
		lease.Release()
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for handOn() == nil {
		}
	}()
	for range 10 {
		require.NoError(t, handOn())
	}
	before := waits()
	allocs := testing.AllocsPerRun(1000, func() {
		if err := handOn(); err != nil {
			t.Error(err)
		}
	})
	require.Zero(t, allocs)
	require.GreaterOrEqual(t, waits()-before, uint64(1000), "the acquires have waited")
	stop()
	<-done
	require.NoError(t, pool.Close(context.Background()))
}

func skipWithRaceDetector(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
}

// Two places on one cache line would slow down those who use them at the same time.
func TestAPlaceIsACacheLine(t *testing.T) {
	for _, size := range []uintptr{unsafe.Sizeof(bareSlot{}), unsafe.Sizeof(checkedSlot{})} {
		require.Greater(t, size, uintptr(48), "the allocator has lines of 64 bytes for what is larger than that")
		require.LessOrEqual(t, size, uintptr(64))
	}
}

// heap is how many bytes more are in use after f has run, n times, than before.
func heap(t *testing.T, n int, f func() any) int {
	t.Helper()
	kept := make([]any, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range kept {
		kept[i] = f()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return int(after.HeapAlloc-before.HeapAlloc) / n
}

func TestAnIdlePoolIsSmall(t *testing.T) {
	skipWithRaceDetector(t)
	size := heap(t, 1000, func() any {
		pool, err := NewCheckedPool(CheckedPoolOptions{MaxSize: 1 << 20})
		require.NoError(t, err)
		return pool
	})
	require.LessOrEqual(t, size, 1024)
}

func TestAPlaceIsSmall(t *testing.T) {
	skipWithRaceDetector(t)
	const places = 10_000
	ctx := context.Background()
	conn := heap(t, places, func() any { return new(Checked) })
	size := heap(t, 1, func() any {
		pool, err := NewCheckedPool(CheckedPoolOptions{MaxSize: places})
		require.NoError(t, err)
		var leases []CheckedLease
		for range places {
			lease, err := pool.Acquire(ctx)
			require.NoError(t, err)
			leases = append(leases, lease)
		}
		for _, lease := range leases {
			lease.Release()
		}
		return pool
	})
	require.LessOrEqual(t, size/places-conn, 96)
}

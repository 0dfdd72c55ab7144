package bench

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Each benchmark reports, besides its own time, the ratio to a reference that is measured in the same run, right
// before and after: absolute times drift on a shared machine, ratios hardly do.

// floor is n times two bare compare-and-swaps, without which no pool can take and give back a place.
func floor(n int) {
	var word atomic.Uint64
	for range n {
		word.CompareAndSwap(0, 1)
		word.CompareAndSwap(1, 0)
	}
}

// syncPool is n times Get and Put of a sync.Pool, by as many goroutines as there are processors.
func syncPool(n int) {
	pool := sync.Pool{New: func() any { return new(Bare) }}
	var running sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for range n / runtime.GOMAXPROCS(0) {
				pool.Put(pool.Get())
			}
		})
	}
	running.Wait()
}

// against runs a benchmark and reports its ratio to a reference.
func against(b *testing.B, name string, reference func(n int), benchmark func(*testing.B)) {
	const n = 5_000_000
	measure := func() float64 {
		begun := time.Now()
		reference(n)
		return float64(time.Since(begun)) / n
	}
	before := measure()
	b.ResetTimer()
	benchmark(b)
	b.StopTimer()
	b.ReportMetric(2*float64(b.Elapsed())/float64(b.N)/(before+measure()), "x-"+name)
}

// BenchmarkBare is acquire and release of a warmed pool, by one goroutine.
func BenchmarkBare(b *testing.B) {
	ctx, pool := context.Background(), bare(b)
	b.ReportAllocs()
	against(b, "floor", floor, func(b *testing.B) {
		for b.Loop() {
			lease, err := pool.Acquire(ctx)
			if err != nil {
				b.Fatal(err)
			}
			lease.Release()
		}
	})
}

// BenchmarkChecked is BenchmarkBare with a trivial needs-check.
func BenchmarkChecked(b *testing.B) {
	ctx, pool := context.Background(), checked(b)
	b.ReportAllocs()
	against(b, "floor", floor, func(b *testing.B) {
		for b.Loop() {
			lease, err := pool.Acquire(ctx)
			if err != nil {
				b.Fatal(err)
			}
			lease.Release()
		}
	})
}

// BenchmarkParallel is BenchmarkBare by two goroutines at the same time.
func BenchmarkParallel(b *testing.B) {
	ctx, pool := context.Background(), bare(b)
	b.ReportAllocs()
	against(b, "sync.Pool", syncPool, func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				lease, err := pool.Acquire(ctx)
				if err != nil {
					b.Error(err)
					return
				}
				lease.Release()
			}
		})
	})
}

// BenchmarkWaiting is acquire and release with 8 goroutines on one place.
func BenchmarkWaiting(b *testing.B) {
	pool, err := NewBarePool(BarePoolOptions{MaxSize: 1})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	b.ReportAllocs()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			lease, err := pool.Acquire(ctx)
			if err != nil {
				b.Error(err)
				return
			}
			lease.Release()
		}
	})
}

func bare(b *testing.B) *BarePool {
	pool, err := NewBarePool(BarePoolOptions{MaxSize: 8})
	if err == nil {
		err = pool.Warm(b.Context(), 8, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	return pool
}

func checked(b *testing.B) *CheckedPool {
	pool, err := NewCheckedPool(CheckedPoolOptions{MaxSize: 8})
	if err == nil {
		err = pool.Warm(b.Context(), 8, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	return pool
}

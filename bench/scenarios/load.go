package scenarios

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/trivial"
)

// load is what requesters do, again and again until the time is over.
type load struct {
	requesters int
	deadline   time.Duration // of each acquire; 0 for none
	hold       func()
	after      func() // the release
}

// outcome is what has come of a load.
type outcome struct {
	took   time.Duration
	served []int           // by requester, in that time
	waits  []time.Duration // of those served, sorted
	held   time.Duration   // connections, by all of them, in that time
}

// requester is one of those who make a load.
type requester struct {
	served atomic.Int64
	held   atomic.Int64 // for how many nanoseconds
	waits  []time.Duration
	begun  time.Time                 // the request
	holds  func(*trivial.Conn) error // made once, so that requests allocate nothing
}

// put puts a load on a pool.
func (l load) put(ctx context.Context, pool peers.Pool, duration time.Duration) outcome {
	var begin, running sync.WaitGroup
	var stop atomic.Bool
	each := make([]requester, l.requesters)
	begin.Add(1)
	for i := range each {
		running.Go(func() {
			begin.Wait()
			for !stop.Load() {
				l.request(ctx, pool, &each[i])
			}
		})
	}
	begun := time.Now()
	begin.Done()
	time.Sleep(duration)
	stop.Store(true)
	total := outcome{took: time.Since(begun)}
	for i := range each {
		total.served = append(total.served, int(each[i].served.Load()))
		total.held += time.Duration(each[i].held.Load())
	}
	running.Wait()
	for i := range each {
		total.waits = append(total.waits, each[i].waits...)
	}
	slices.Sort(total.waits)
	return total
}

// request acquires, holds and releases.
func (l load) request(ctx context.Context, pool peers.Pool, r *requester) {
	if r.holds == nil {
		r.holds = func(*trivial.Conn) error {
			wait := time.Since(r.begun)
			r.waits = append(r.waits, wait)
			l.hold()
			r.held.Add(int64(time.Since(r.begun) - wait))
			return nil
		}
	}
	if l.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.deadline)
		defer cancel()
	}
	r.begun = time.Now()
	if pool.Use(ctx, r.holds) != nil {
		return
	}
	r.served.Add(1)
	if l.after != nil {
		l.after()
	}
}

// all returns how many requests have been served.
func (o outcome) all() (n int) {
	for _, served := range o.served {
		n += served
	}
	return n
}

// rate returns how many requests have been served in a second.
func (o outcome) rate() float64 { return float64(o.all()) / o.took.Seconds() }

// use returns for which part of the time the connections were held, in percent.
func (o outcome) use(connections int) float64 {
	return 100 * o.held.Seconds() / (o.took.Seconds() * float64(connections))
}

// fairness returns how often the one was served who was served most, for each time that the one was who was served
// least; somebody who was never served counts as served once.
func (o outcome) fairness() float64 {
	return float64(slices.Max(o.served)) / float64(max(1, slices.Min(o.served)))
}

// quantile returns the q-th quantile of sorted durations in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))].Seconds() * 1000
}

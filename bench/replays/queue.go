package replays

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/poolgen/poolgen/bench/replays/faulty"
)

var order = Replay{
	Name: "order", Row: 10,
	What: "50 requesters come one after the other while the only connection is leased, and hold it for 1 ms each",
	Bar:  "they are served in the order in which they came: none of the 1,225 pairs is the wrong way round",
	run: func(p *play) Outcome {
		_, pool := p.pool(faulty.Settings{}, 1, 1)
		first, err := acquire(pool, time.Second)
		if err != nil {
			return Outcome{Measured: err.Error()}
		}
		time.AfterFunc(100*time.Millisecond, first.Release)
		var mu sync.Mutex
		var served []int
		crowd(50, time.Minute, func(i int) {
			time.Sleep(time.Duration(i+1) * time.Millisecond)
			lease, err := acquire(pool, time.Minute)
			if err != nil {
				return
			}
			mu.Lock()
			served = append(served, i)
			mu.Unlock()
			time.Sleep(time.Millisecond)
			lease.Release()
		})
		wrong := inversions(served)
		return Outcome{fmt.Sprintf("%d served, %d pairs the wrong way round", len(served), wrong), len(served) == 50 && wrong == 0}
	},
}

var cancelStorm = Replay{
	Name: "cancel storm",
	What: "2,000 requesters within 200 ms, with deadlines of up to 20 ms, of a pool of 4; a dial takes 5 ms, a lease up to 1 ms, and a quarter of the connections is discarded",
	Bar:  "all end by their deadline, and then 4 connections can be leased at the same time",
	run: func(p *play) Outcome {
		const requesters, size = 2000, 4
		_, pool := p.pool(faulty.Settings{DialTime: 5 * time.Millisecond}, size, 0)
		random := rand.New(rand.NewPCG(1, 1))
		plans := make([]plan, requesters)
		for i := range plans {
			plans[i] = plan{
				comes: time.Duration(random.Int64N(int64(200 * time.Millisecond))), leaves: time.Duration(random.Int64N(int64(20 * time.Millisecond))),
				holds: time.Duration(random.Int64N(int64(time.Millisecond))), discards: random.IntN(4) == 0,
			}
		}
		var late, served atomic.Int64
		took := crowd(requesters, time.Hour, func(i int) {
			its := plans[i]
			time.Sleep(its.comes)
			begun := time.Now()
			lease, err := acquire(pool, its.leaves)
			if time.Since(begun) > its.leaves+slack {
				late.Add(1)
			}
			if err != nil {
				return
			}
			served.Add(1)
			time.Sleep(its.holds)
			if its.discards {
				lease.Discard()
			} else {
				lease.Release()
			}
		})
		time.Sleep(time.Second)
		got := hold(pool, size)
		return Outcome{
			fmt.Sprintf("%d served, %d late, %d never end; then %d of %d", served.Load(), late.Load(), requesters-len(took), got, size),
			late.Load() == 0 && len(took) == requesters && got == size,
		}
	},
}

// plan is what a requester of the storm does.
type plan struct {
	comes, leaves, holds time.Duration
	discards             bool
}

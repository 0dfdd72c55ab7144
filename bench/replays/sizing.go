package replays

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/poolgen/poolgen/bench/replays/faulty"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

// HikariCP's "About Pool Sizing": a pool that is as big as the service is good for serves as many requests, and those that
// the service has begun with are done sooner.

const (
	bigPool, smallPool = 2048, 96
	sizingWhat         = "4,096 requesters ask, again and again for 1 s, a service with 16 workers that answers in 1 ms, through a pool of 2,048 and then through one of 96. "
)

var sizing = Replay{
	Name: "pool sizing",
	What: sizingWhat + "How long does an answer take, once one has a connection (p99), and how many are there",
	Bar:  "with the small pool, answers take at most an eighth, and there are no fewer, give or take a twentieth",
	run: func(p *play) Outcome {
		big, _ := serve(p, bigPool)
		small, _ := serve(p, smallPool)
		return Outcome{
			fmt.Sprintf("%v → %v, %d/s → %d/s", round(big.p99), round(small.p99), big.answers, small.answers),
			small.p99*8 <= big.p99 && small.answers >= big.answers-big.answers/20 && small.answers > 0,
		}
	},
}

var sizingStats = Replay{
	Name: "pool sizing, by statistics",
	What: sizingWhat + "What do the pool's statistics say of how long leases last",
	Bar:  "one sees there that with the small pool it is at most an eighth (p99, of a histogram)",
	With: pools.Holds, Needs: true,
	run: func(p *play) Outcome {
		_, big := serve(p, bigPool)
		_, small := serve(p, smallPool)
		one, other := big.(pools.Histogrammed).HeldFor(), small.(pools.Histogrammed).HeldFor()
		return Outcome{fmt.Sprintf("less than %v → less than %v", round(one), round(other)), other*8 <= one && other > 0}
	},
}

// service is what it was like.
type service struct {
	p99     time.Duration
	answers int // in a second
}

func serve(p *play, size int) (service, pools.Pool) {
	_, pool := p.pool(faulty.Settings{Workers: 16, QueryTime: time.Millisecond}, size, size)
	over := time.Now().Add(time.Second)
	var mu sync.Mutex
	var answers []time.Duration
	crowd(4096, time.Minute, func(int) {
		for time.Now().Before(over) {
			lease, err := acquire(pool, time.Minute)
			if err != nil {
				return
			}
			begun := time.Now()
			err = lease.Query(context.Background())
			took := time.Since(begun)
			lease.Release()
			if err == nil && time.Now().Before(over) {
				mu.Lock()
				answers = append(answers, took)
				mu.Unlock()
			}
		}
	})
	mu.Lock()
	defer mu.Unlock()
	return service{percentile(answers, 99), len(answers)}, pool
}

package replays

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/poolgen/poolgen/bench/replays/faulty"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

var spike = Replay{
	Name: "spike", Row: 1,
	What: "50 requesters at once want a connection for 2 ms, of a pool of 50 with 5 open; a dial takes 150 ms",
	Bar:  "all are served within 25 ms, half of them within 10 ms, with at most 2 dials at a time and 7 connections in the end",
	run: func(p *play) Outcome {
		server, pool := p.pool(faulty.Settings{DialTime: 150 * time.Millisecond}, 50, 5)
		waits := make([]time.Duration, 50)
		var failed atomic.Int64
		begun := time.Now()
		took := crowd(50, time.Minute, func(i int) {
			lease, err := acquire(pool, time.Minute)
			waits[i] = time.Since(begun)
			if err != nil {
				failed.Add(1)
				return
			}
			time.Sleep(2 * time.Millisecond)
			lease.Release()
		})
		if len(took) < 50 || failed.Load() > 0 {
			return Outcome{Measured: fmt.Sprintf("%d of 50 are served", len(took)-int(failed.Load()))}
		}
		all, half := took[49], percentile(waits, 50)
		time.Sleep(time.Second) // for what is still being dialled
		_, most := server.Dials()
		return Outcome{
			fmt.Sprintf("all in %v, half in %v, dials at a time: %d, connections: %d", round(all), round(half), most, server.Open()),
			all <= 25*time.Millisecond && half <= 10*time.Millisecond && most <= 2 && server.Open() <= 7,
		}
	},
}

var prime = Replay{
	Name: "prime directive", Row: 2,
	What: "of a pool of 2, one connection is leased and released after 100 ms; for another requester the second is being dialled, which takes 10 s",
	Bar:  "the other one is served when the first one is released",
	run: func(p *play) Outcome {
		server, pool := p.pool(faulty.Settings{}, 2, 1)
		server.SlowDown(10 * time.Second)
		first, err := acquire(pool, time.Second)
		if err != nil {
			return Outcome{Measured: err.Error()}
		}
		time.AfterFunc(100*time.Millisecond, first.Release)
		begun := time.Now()
		lease, err := acquire(pool, time.Minute)
		if err != nil {
			return Outcome{Measured: err.Error()}
		}
		lease.Release()
		took := time.Since(begun)
		return Outcome{fmt.Sprintf("after %v", round(took)), took <= 100*time.Millisecond+slack}
	},
}

var deafCreate = Replay{
	Name: "deaf create", Row: 3,
	What: "30 requesters with a deadline of 1 s want a connection of an empty pool of 10, whose dials never return, whatever their context says",
	Bar:  "all end by their deadline, give or take 50 ms",
	run: func(p *play) Outcome {
		server, pool := p.pool(faulty.Settings{}, 10, 0)
		server.Down(faulty.Stuck)
		took := crowd(30, time.Hour, func(int) { _, _ = acquire(pool, time.Second) })
		intime := inTime(took, 1050*time.Millisecond)
		text := fmt.Sprintf("%d of 30", intime)
		if len(took) < 30 {
			text += fmt.Sprintf(", %d not within an hour", 30-len(took))
		}
		return Outcome{text, intime == 30}
	},
}

var refusedCreate = Replay{
	Name: "refused create", Row: 4,
	What: "100 requesters at once want a connection of an empty pool of 10, whose dials are refused after 1 ms",
	Bar:  "all get that very error, within 10 ms: 10 at a time, as there are places",
	run: func(p *play) Outcome {
		server, pool := p.pool(faulty.Settings{}, 10, 0)
		server.Down(faulty.Refused)
		var refused atomic.Int64
		took := crowd(100, time.Hour, func(int) {
			if _, err := acquire(pool, 10*time.Second); errors.Is(err, faulty.ErrRefused) {
				refused.Add(1)
			}
		})
		text := fmt.Sprintf("%d get it", refused.Load())
		if len(took) < 100 {
			text += fmt.Sprintf(", %d wait for ever", 100-len(took))
			return Outcome{Measured: text}
		}
		dials, _ := server.Dials()
		return Outcome{
			fmt.Sprintf("%s, all end within %v, %d dials", text, round(took[99]), dials),
			refused.Load() == 100 && took[99] <= 10*time.Millisecond,
		}
	},
}

var breaker = Replay{
	Name: "refused for a minute", Row: 4,
	What: fmt.Sprintf("10 requesters want a connection again and again, 10 ms after each failure, for a minute in which dials are refused. The breaker, if that can be told, opens for 1 s after %d failures", pools.BreakAfter),
	Bar:  "in the last 50 s, at most one dial per second",
	With: pools.Breaker, Needs: true,
	run: func(p *play) Outcome {
		server, pool := p.pool(faulty.Settings{}, 10, 0)
		server.Down(faulty.Refused)
		over := time.Now().Add(time.Minute)
		time.AfterFunc(10*time.Second, server.Forget)
		var slowest atomic.Int64
		crowd(10, time.Hour, func(int) {
			for time.Now().Before(over) {
				begun := time.Now()
				if _, err := acquire(pool, 10*time.Second); err == nil {
					return
				}
				slowest.Store(max(slowest.Load(), int64(time.Since(begun))))
				time.Sleep(10 * time.Millisecond)
			}
		})
		dials, _ := server.Dials()
		return Outcome{fmt.Sprintf("%d dials; a request takes at most %v", dials, round(time.Duration(slowest.Load()))), dials <= 50}
	},
}

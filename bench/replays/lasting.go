package replays

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/poolgen/poolgen/bench/replays/faulty"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

var failovers = []Replay{failover(1), failover(20), failover(40)}

// failover has all idle connections be stale.
func failover(requesters int) Replay {
	const size, dialTime = 20, 5 * time.Millisecond
	who, at := fmt.Sprintf("%d requesters", requesters), " at once"
	if requesters == 1 {
		who, at = "a single requester", ""
	}
	return Replay{
		Name: "failover, " + who, Row: 5,
		What: fmt.Sprintf("an answer is wanted by %s%s, through a pool of %d idle connections, none of which is ever answered again, which takes 1 s to find out; a dial takes 5 ms. Who gets a dead one discards it and tries again", who, at, size),
		Bar:  "all have it after one check and one dial, 1.005 s, give or take 10 ms, and 1 ms for each requester",
		With: pools.Check,
		run: func(p *play) Outcome {
			server, pool := p.pool(faulty.Settings{DialTime: dialTime}, size, size)
			server.Down(faulty.HalfOpen)
			took := crowd(requesters, time.Hour, func(int) {
				for !answered(pool, time.Minute) {
				}
				time.Sleep(time.Millisecond)
			})
			if len(took) < requesters {
				return Outcome{Measured: fmt.Sprintf("%d of them within an hour", len(took))}
			}
			last := took[requesters-1]
			bar := faulty.SocketTimeout + dialTime + slack + time.Duration(requesters)*time.Millisecond
			return Outcome{fmt.Sprintf("after %v", round(last)), last <= bar}
		},
	}
}

// answered acquires, and reports whether the server answers.
func answered(pool pools.Pool, limit time.Duration) bool {
	lease, err := acquire(pool, limit)
	if err != nil {
		return false
	}
	return query(lease)
}

// query asks the server, and releases the connection or, if it was of no use, discards it.
func query(lease pools.Lease) bool {
	if err := lease.Query(context.Background()); err != nil {
		lease.Discard()
		return false
	}
	lease.Release()
	return true
}

var expiry = Replay{
	Name: "expiry spread", Row: 8,
	What: "50 connections are created at once, with a lifetime of 60 s and no other option; all are leased and released every 100 ms",
	Bar:  "they do not expire all at once, but over at least 4 s",
	With: pools.Lifetime, Needs: true,
	run: func(p *play) Outcome {
		const size = 50
		server, pool := p.pool(faulty.Settings{}, size, size)
		for range 1300 {
			hold(pool, size)
			time.Sleep(100 * time.Millisecond)
		}
		var closed []time.Time
		for i := range size {
			if at := server.Conn(i).Closed(); !at.IsZero() {
				closed = append(closed, at)
			}
		}
		if len(closed) < size {
			return Outcome{Measured: fmt.Sprintf("%d of %d have expired after two lifetimes", len(closed), size)}
		}
		slices.SortFunc(closed, time.Time.Compare)
		spread := closed[size-1].Sub(closed[0])
		return Outcome{fmt.Sprintf("over %v", round(spread)), spread >= 4*time.Second}
	},
}

var keepAlive = Replay{
	Name: "keep-alive",
	What: "10 connections are idle for 10 minutes, behind a middlebox that forgets what has been idle for longer than 60 s. They are to be kept alive every 20 s",
	Bar:  "all 10 are answered, and none has been dialled anew",
	With: pools.KeepAlive, Needs: true,
	run: func(p *play) Outcome {
		const size = 10
		server, pool := p.pool(faulty.Settings{DropIdle: time.Minute}, size, size)
		time.Sleep(10 * time.Minute)
		dials, _ := server.Dials()
		var mu sync.Mutex
		var alive int
		crowd(size, time.Minute, func(int) {
			if lease, err := acquire(pool, time.Second); err == nil {
				ok := lease.Query(context.Background()) == nil
				time.Sleep(2 * faulty.SocketTimeout) // so that each gets another one
				lease.Release()
				mu.Lock()
				defer mu.Unlock()
				if ok {
					alive++
				}
			}
		})
		return Outcome{fmt.Sprintf("%d of %d answered, %d dials", alive, size, dials), alive == size && dials == 0}
	},
}

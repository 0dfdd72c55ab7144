package replays

import (
	"fmt"
	"sync"
	"time"

	"github.com/poolgen/poolgen/bench/replays/faulty"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

// HikariCP's "Bad Behavior: Handling Database Down", in virtual time. For five minutes there is a request every 2 s, with a
// deadline of 5 s, whether or not those before have ended. Connections are checked before a lease, where a pool does
// that; the pool is of 10, all of which are open when it begins.

const (
	tick         = 2 * time.Second
	downDeadline = 5 * time.Second
	downAt       = 61 * time.Second
	upAt         = 181 * time.Second
	downEnd      = 5 * time.Minute
)

const downWhat = "A request every 2 s with a deadline of 5 s, through a pool of 10 open connections, checked before a lease if the pool does that. "

const deafBar = "all requests end by their deadline, give or take 50 ms; no dead connection is leased; the first success comes within 2 s of the server's return"

var downDeaf = down("database down, deaf", faulty.Deaf,
	downWhat+"For two minutes nothing is answered, neither queries, for which clients wait for 1 s, nor dials, for which they wait for 10 s or until their context ends",
	deafBar, downDeadline+50*time.Millisecond, upAt)

var downStuck = down("database down, stuck", faulty.Stuck,
	downWhat+"For two minutes nothing is answered, and the dials of that time never return, whatever their context says",
	deafBar, downDeadline+50*time.Millisecond, upAt)

var downRefused = down("database down, refused", faulty.Refused,
	downWhat+"All connections are reset, and for two minutes dials are refused, after 1 ms",
	"all requests end within 50 ms; no dead connection is leased; the first success comes within 2 s of the server's return",
	50*time.Millisecond, upAt)

var downHalfOpen = down("database down, half-open", faulty.HalfOpen,
	downWhat+"From some moment on, none of the open connections is answered any more; new ones are",
	"all requests end by their deadline, give or take 50 ms; no dead connection is leased; the first request after that, at most 1 s later, is served after one check of 1 s and a dial",
	downDeadline+50*time.Millisecond, downAt)

// request is what has become of one.
type request struct {
	begun, took time.Duration // since the beginning; took is 0 while it has not ended
	served      bool
	dead        bool // it was leased a connection that was of no use
}

func down(name string, way faulty.Way, what, bar string, limit, mended time.Duration) Replay {
	return Replay{
		Name: name, What: what, Bar: bar, With: pools.Check,
		run: func(p *play) Outcome {
			server, pool := p.pool(faulty.Settings{}, 10, 10)
			server.SlowDown(5 * time.Millisecond)
			time.AfterFunc(downAt, func() { server.Down(way) })
			time.AfterFunc(upAt, server.Up)
			return judge(requests(pool), limit, mended)
		},
	}
}

// requests makes the requests, and returns what has become of them.
func requests(pool pools.Pool) []request {
	begun := time.Now()
	all := make([]request, downEnd/tick)
	var mu sync.Mutex
	crowd(len(all), downEnd+time.Minute, func(i int) {
		time.Sleep(time.Duration(i) * tick)
		r := request{begun: time.Since(begun)}
		lease, err := acquire(pool, downDeadline)
		r.took = max(time.Since(begun)-r.begun, 1)
		if err == nil {
			r.served = query(lease)
			r.dead = !r.served
		}
		mu.Lock()
		defer mu.Unlock()
		all[i] = r
	})
	mu.Lock()
	defer mu.Unlock()
	return all[:len(all):len(all)]
}

// judge sums them up. The limit is for those that begin while the server is down.
func judge(all []request, limit, mended time.Duration) Outcome {
	var late, hung, dead int
	var slowest time.Duration
	first := downEnd
	for _, r := range all {
		switch {
		case r.took == 0:
			hung++
			continue
		case r.took > limit:
			late++
		}
		if r.dead {
			dead++
		}
		if r.begun > downAt && r.begun < upAt {
			slowest = max(slowest, r.took)
		}
		if r.served && r.begun+r.took > mended {
			first = min(first, r.begun+r.took-mended)
		}
	}
	text := fmt.Sprintf("slowest %v, ", round(slowest))
	if hung > 0 {
		text += fmt.Sprintf("%d never end, ", hung)
	}
	if late > 0 {
		text += fmt.Sprintf("%d late, ", late)
	}
	text += fmt.Sprintf("%d dead leased, ", dead)
	if first == downEnd {
		text += "never a success again"
	} else {
		text += fmt.Sprintf("success after %v", round(first))
	}
	return Outcome{text, late+hung+dead == 0 && first <= tick+slack}
}

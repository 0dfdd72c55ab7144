package replays

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/poolgen/poolgen/bench/replays/faulty"
	"github.com/poolgen/poolgen/bench/replays/pools"
)

var panics = []Replay{
	panicIn("create", "", "create"),
	panicIn("check", pools.Check, "check"),
	panicIn("close", "", "close"),
	panicIn("another hook", pools.Hooks, pools.HookNames...),
}

// panicIn has hooks panic, one after the other.
func panicIn(what string, with pools.Feature, hooks ...string) Replay {
	of := "the " + what + " hook panics"
	if len(hooks) > 1 {
		of = "other hooks panic, as far as there are any, one after the other: " + strings.Join(hooks, ", ")
	}
	return Replay{
		Name: "panic in " + what, Row: 6,
		What: of + ", while a requester acquires, releases and discards for a few times, and then no more",
		Bar:  "the process lives on, and both places of the pool can be leased at the same time",
		With: with, Needs: with != "",
		run: func(p *play) Outcome {
			panicked := 0
			for _, hook := range hooks {
				server, pool := p.pool(faulty.Settings{}, 2, 2)
				seen := suffer(server, pool, hook)
				if server.PanicIn("") > 0 {
					panicked++
				}
				if got := hold(pool, 2); got < 2 {
					return Outcome{Measured: fmt.Sprintf("%s: %s, %d of 2 places are left", hook, seen, got)}
				}
			}
			if panicked == 0 {
				return Outcome{Measured: "it is never called"}
			}
			return Outcome{fmt.Sprintf("2 of 2; hooks that have panicked: %d", panicked), true}
		},
	}
}

// suffer uses a pool while a hook panics, and says whether requesters get to see that.
func suffer(server *faulty.Server, pool pools.Pool, hook string) string {
	seen := "nobody sees it"
	note := func(err error) {
		if err != nil && strings.HasPrefix(err.Error(), "panic: ") {
			seen = "its requester panics"
		}
	}
	leave := func(end func(pools.Lease)) {
		lease, err := acquire(pool, time.Second)
		note(err)
		if err == nil {
			note(survive(func() error { end(lease); return nil }))
		}
		time.Sleep(time.Millisecond) // for what a pool does in the background
	}
	if hook == "create" { // it is not called while there are connections
		for range 2 {
			leave(pools.Lease.Discard)
		}
	}
	server.PanicIn(hook)
	for range 3 {
		leave(pools.Lease.Release)
		leave(pools.Lease.Discard)
	}
	_ = server.PanicIn("")
	time.Sleep(time.Minute) // for pools that wait a while before they try again
	return seen
}

var staleRelease = Replay{
	Name: "stale release", Row: 7,
	What: "a requester releases the only connection, another one acquires it, and the first one releases again",
	Bar:  "a third one does not get it too, and it is fine after its release",
	run:  func(p *play) Outcome { return releaseAgain(p, true) },
}

var doubleRelease = Replay{
	Name: "double release", Row: 7,
	What: "a requester releases the only connection twice in a row, and two others want it",
	Bar:  "one gets it, the other one waits; it is fine after its release",
	run:  func(p *play) Outcome { return releaseAgain(p, false) },
}

// releaseAgain releases a lease for a second time, when somebody has the connection or before.
func releaseAgain(p *play, late bool) Outcome {
	_, pool := p.pool(faulty.Settings{}, 1, 1)
	first, err := acquire(pool, time.Second)
	if err != nil {
		return Outcome{Measured: err.Error()}
	}
	first.Release()
	time.Sleep(time.Millisecond) // some pools take it back in a goroutine
	said := ""
	again := func() {
		if len(crowd(1, time.Minute, func(int) {
			if err := survive(func() error { first.Release(); return nil }); err != nil {
				said = "the second release panics; "
			}
		})) == 0 {
			said = "the second release hangs; "
		}
		time.Sleep(time.Millisecond)
	}
	if !late {
		again()
	}
	second, err := acquire(pool, time.Second)
	if err != nil {
		return Outcome{Measured: said + "nobody gets it: " + err.Error()}
	}
	if late {
		again()
	}
	if _, err := acquire(pool, time.Second); err == nil {
		return Outcome{Measured: said + "two have it"}
	}
	if err := survive(func() error { second.Release(); return nil }); err != nil {
		return Outcome{Measured: said + "its holder's release: " + err.Error()}
	}
	if hold(pool, 1) == 0 {
		return Outcome{Measured: said + "the place is lost"}
	}
	return Outcome{said + "one has it", true}
}

var mentions3 = regexp.MustCompile(`\b3\b`)

// leakedClose is the end of a pool whose leases don't end.
var leakedClose = Replay{
	Name: "close with leaked leases", Row: 9,
	What: "a pool of 5 is closed while 3 leases are out that never end; whoever closes it has a deadline of 1 s, if that can be told",
	Bar:  "it returns by then, and says that 3 are out",
	run: func(p *play) Outcome {
		_, pool := p.pool(faulty.Settings{}, 5, 5)
		for range 3 {
			if _, err := acquire(pool, time.Second); err != nil {
				return Outcome{Measured: err.Error()}
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var err error
		took := crowd(1, time.Hour, func(int) { err = survive(func() error { return pool.Close(ctx) }) })
		if len(took) == 0 {
			return Outcome{Measured: "not within an hour"}
		}
		tells, what := err != nil && mentions3.MatchString(err.Error()), "says nothing of them"
		if tells {
			what = "says that 3 are out"
		}
		return Outcome{fmt.Sprintf("after %v, %s", round(took[0]), what), tells && took[0] <= 1050*time.Millisecond}
	},
}

package replays

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/poolgen/poolgen/bench/replays/pools"
)

// A replay runs in a process of its own, which may die of it or hang. Serve is the main function of such a process.

// Offer is a peer that a program can put through replays.
type Offer struct {
	pools.Peer
	Version string
}

// The flags of Serve.
const (
	ListFlag   = "list"
	ReplayFlag = "replay"
	PeerFlag   = "peer"
)

// Serve lists peers, or puts one of them through a replay, and prints the answer. It does not return.
func Serve(of []pools.Peer, args []string) {
	flags := flag.NewFlagSet("replay", flag.ExitOnError)
	list := flags.Bool(ListFlag, false, "list the peers")
	name := flags.String(ReplayFlag, "", "the replay")
	peer := flags.String(PeerFlag, "", "the peer")
	_ = flags.Parse(args)
	if *list {
		exit(json.NewEncoder(os.Stdout).Encode(offers(of)))
	}
	replay, err := Find(*name)
	i := slices.IndexFunc(of, func(p pools.Peer) bool { return p.Name == *peer })
	if err != nil || i < 0 {
		exit(fmt.Errorf("no peer %q, or %w", *peer, err))
	}
	bubble(func() {
		outcome, _ := replay.Run(of[i])
		// What is left over might not end, so the process ends within the bubble.
		exit(json.NewEncoder(os.Stdout).Encode(outcome))
	})
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// bubble calls f in a bubble of testing/synctest, which only a test can have; testing.Main makes one outside go test.
func bubble(f func()) {
	os.Args = os.Args[:1] // which it would take for its own
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: "replay",
		F:    func(t *testing.T) { synctest.Test(t, func(*testing.T) { f() }) },
	}}, nil, nil)
}

// offers looks up the versions that this program has been built with.
func offers(of []pools.Peer) (all []Offer) {
	info, _ := debug.ReadBuildInfo()
	for _, peer := range of {
		offer := Offer{Peer: peer}
		if info != nil {
			if i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == peer.Module }); i >= 0 {
				offer.Version = info.Deps[i].Version
			}
		}
		all = append(all, offer)
	}
	return all
}

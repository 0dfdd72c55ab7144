package scenarios

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/poolgen/poolgen/bench/peers"
)

// A measurement runs in a process of its own, which begins with an empty heap and can be ended if it hangs. Serve is
// the main function of such a process,.

// Offer is a peer that a program can measure.
type Offer struct {
	peers.Peer
	Version string
}

const (
	listFlag    = "list"
	measureFlag = "measure"
	peerFlag    = "peer"
	budgetFlag  = "budget"
)

// Serve lists peers, or measures one of them, and prints the answer.
func Serve(of []peers.Peer, args []string) int {
	flags := flag.NewFlagSet("measure", flag.ExitOnError)
	list := flags.Bool(listFlag, false, "list the peers")
	measure := flags.String(measureFlag, "", "the scenario")
	peer := flags.String(peerFlag, "", "the peer")
	budget := flags.Duration(budgetFlag, 100*time.Millisecond, "the time for it")
	_ = flags.Parse(args)
	err := serve(of, *list, *measure, *peer, *budget, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(of []peers.Peer, list bool, measure, peer string, budget time.Duration, out io.Writer) error {
	if list {
		return json.NewEncoder(out).Encode(offers(of))
	}
	s, p, err := Find(of, measure, peer)
	if err != nil {
		return err
	}
	result, err := s.Run(context.Background(), p, budget)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

// offers looks up the versions that this program has been built with.
func offers(of []peers.Peer) (all []Offer) {
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

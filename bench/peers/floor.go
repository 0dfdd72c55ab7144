package peers

import (
	"context"
	"sync/atomic"

	"github.com/poolgen/poolgen/bench/trivial"
)

// floor takes and gives back one place, and does nothing else.
type floor struct{}

func newFloor(Config) (Pool, error) { return new(floor), nil }

func (p *floor) Loop(_ context.Context, n int) error {
	var word atomic.Uint64
	for range n {
		word.CompareAndSwap(0, 1)
		word.CompareAndSwap(1, 0)
	}
	return nil
}

func (p *floor) Use(context.Context, func(*trivial.Conn) error) error { return nil }

func (p *floor) Close() {}

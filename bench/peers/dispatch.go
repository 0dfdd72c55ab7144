package peers

import (
	"context"
	"sync/atomic"

	"github.com/poolgen/poolgen/bench/trivial"
)

// What calling a needs-check directly gains, and nothing else: five pools on one core, which differ in how they call
// the same method, if they call it at all. The core is what is left of a generated pool's fast path when nobody ever
// waits and all connections are there from the start. Processors get the call done beside a compare-and-swap, so there
// are the same five for a single goroutine, without atomic operations.

// core is a set of places, each with a word that is 1 while its connection is idle.
type core []struct {
	idle atomic.Uint64
	_    [56]byte
}

// coreConn is the connection of all five.
type coreConn struct{ trivial *trivial.Conn }

// NeedsHealthCheck is never true here, but the compiler can't know that.
func (c *coreConn) NeedsHealthCheck() bool { return c.trivial.ID < 0 }

func newCore(config Config) (core, []*coreConn, error) {
	places, conns := make(core, config.Size), make([]*coreConn, config.Size)
	for i := range places {
		conn, err := config.Server.Dial(context.Background())
		if err != nil {
			return nil, nil, err
		}
		conns[i] = &coreConn{conn}
		places[i].idle.Store(1)
	}
	return places, conns, nil
}

func (p core) take() int {
	for i := range p {
		if p[i].idle.Load() == 1 && p[i].idle.CompareAndSwap(1, 0) {
			return i
		}
	}
	return -1
}

func (p core) give(i int) { p[i].idle.CompareAndSwap(0, 1) }

func (p core) Use(context.Context, func(*trivial.Conn) error) error { return nil }
func (p core) Close()                                               {}

// coreError is the answer to a check that is due, which none is.
const coreError = trivialError("a check is due")

// coreBare does not call the method.
type coreBare struct{ core }

func newCoreBare(config Config) (Pool, error) {
	p, _, err := newCore(config)
	return coreBare{p}, err
}

func (p coreBare) Loop(_ context.Context, n int) error {
	for range n {
		p.give(p.take())
	}
	return nil
}

// coreDirect calls it directly.
type coreDirect struct {
	core
	conns []*coreConn
}

func newCoreDirect(config Config) (Pool, error) {
	p, conns, err := newCore(config)
	return coreDirect{p, conns}, err
}

func (p coreDirect) Loop(_ context.Context, n int) error {
	for range n {
		i := p.take()
		if p.conns[i].NeedsHealthCheck() {
			return coreError
		}
		p.give(i)
	}
	return nil
}

// coreGeneric calls it through a type parameter.
type coreGeneric[C needsHealthCheck] struct {
	core
	conns []C
}

func newCoreGeneric(config Config) (Pool, error) {
	p, conns, err := newCore(config)
	return coreGeneric[*coreConn]{p, conns}, err
}

func (p coreGeneric[C]) Loop(_ context.Context, n int) error {
	for range n {
		i := p.take()
		if p.conns[i].NeedsHealthCheck() {
			return coreError
		}
		p.give(i)
	}
	return nil
}

// coreInterface calls it through an interface.
type coreInterface struct {
	core
	conns []needsHealthCheck
}

func newCoreInterface(config Config) (Pool, error) {
	p, conns, err := newCore(config)
	boxed := coreInterface{core: p}
	for _, conn := range conns {
		boxed.conns = append(boxed.conns, conn)
	}
	return boxed, err
}

func (p coreInterface) Loop(_ context.Context, n int) error {
	for range n {
		i := p.take()
		if p.conns[i].NeedsHealthCheck() {
			return coreError
		}
		p.give(i)
	}
	return nil
}

// coreFunc calls it through a value of a function type.
type coreFunc struct {
	core
	conns []*coreConn
	needs func(*coreConn) bool
}

func newCoreFunc(config Config) (Pool, error) {
	p, conns, err := newCore(config)
	return coreFunc{p, conns, (*coreConn).NeedsHealthCheck}, err
}

func (p coreFunc) Loop(_ context.Context, n int) error {
	for range n {
		i := p.take()
		if p.needs(p.conns[i]) {
			return coreError
		}
		p.give(i)
	}
	return nil
}

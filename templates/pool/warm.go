package pool

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Warm creates connections until the pool has n of them: all or, if one fails or ctx ends, none.
// They are created as usual or, if create is not nil, by create, which is told the index of each.
//
//poolgen:if hasWarm
func (p *Pool) Warm(ctx context.Context, n int, create func(ctx context.Context, i int) (*Conn, error)) error {
	begun := time.Now()
	shared, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var crew sync.WaitGroup
	var made []*slot
	index := 0
	fill := func() {
		defer crew.Done()
		for {
			p.mu.Lock()
			if p.closed || hasDrain && p.draining {
				cancel(ErrPoolClosed)
			} else if n > p.stats.MaxSize {
				cancel(&PoolError{Op: "warm", Err: fmt.Errorf("%d connections are too many for %d places", n, p.stats.MaxSize)})
			}
			if hasKeyed && shared.Err() == nil && p.stats.MaxSize-p.stats.Vacant < n && !p.afford() {
				cancel(&PoolError{Op: "warm", Err: ErrPoolExhausted})
			}
			if shared.Err() != nil || p.stats.MaxSize-p.stats.Vacant >= n {
				p.mu.Unlock()
				return
			}
			j := &job{op: "create", state: &p.stats.Warming}
			if i := index; create != nil {
				j.create = func(ctx context.Context) (*Conn, error) { return create(ctx, i) }
			}
			index++
			s, err := p.alone(p.newWaiter(shared, shared.Done(), time.Now()), p.vacancy(), j)
			if err != nil {
				cancel(err)
				return
			}
			p.mu.Lock()
			made = append(made, s)
			p.mu.Unlock()
		}
	}
	abreast := max(0, min(n, p.Stats().MaxSize))
	if hasLimits {
		abreast = min(abreast, p.options.MaxConcurrentCreates)
	}
	crew.Add(abreast)
	for range abreast {
		go fill()
	}
	crew.Wait()
	err := context.Cause(shared)
	if ctx.Err() != nil {
		err = p.canceled(ctx, "warm", begun, nil)
	}
	p.mu.Lock()
	defer p.unlock()
	for _, s := range made {
		if err == nil {
			p.deliver(s)
		} else {
			p.retire(s, &p.stats.RetiredUnwanted)
		}
	}
	return err
}

package pool

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// PoolsOptions are the settings of [Pools]. A field that is zero stands for the default.
//
//poolgen:if hasKeyed
type PoolsOptions struct {
	Pool        PoolOptions   // of the pool of each key; BreakAfter ejects a key whose creates fail, until one succeeds again
	MaxTotal    int           // how many connections there are at the most, all keys together; by default any number
	IdleTimeout time.Duration // a key without connections that nobody asks for is forgotten after this; by default 10 min
}

// Pools is a set of pools by key, such as an endpoint or a tenant. Its methods may be called at the same time.
//
//poolgen:if hasKeyed
type Pools struct {
	contextOf func(Key) (Context, error)
	options   PoolsOptions

	mu       sync.Mutex // guards all that follows; a pool's mu may be locked before, but not after
	pools    map[Key]*Pool
	asked    map[Key]uint64 // how many leases a pool had begun at the latest look
	total    int            // connections, those being created and closed included
	starving []*Pool        // pools that wait for a connection of another to be retired
	ticker   *time.Timer    // calls forget
	closed   bool
}

// NewPools returns an empty set. A pool is made when its key is first asked for.
// Its context is what contextOf returns for the key.
//
//poolgen:if hasKeyed
func NewPools(contextOf func(Key) (Context, error), options PoolsOptions) (*Pools, error) {
	var err error
	preset(&options.MaxTotal, math.MaxInt32, "MaxTotal", &err)
	preset(&options.IdleTimeout, 10*time.Minute, "IdleTimeout", &err)
	if each := options.Pool; err == nil {
		err = each.complete()
	}
	if err != nil {
		return nil, err
	}
	s := &Pools{options: options, pools: map[Key]*Pool{}, asked: map[Key]uint64{}}
	s.contextOf = contextOf
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ticker = time.AfterFunc(options.IdleTimeout, s.forget)
	return s, nil
}

// Acquire leases a connection of a key, as [Pool.Acquire] does. While there are MaxTotal connections, idle
// ones of other keys make room.
//
//poolgen:if hasKeyed
func (s *Pools) Acquire(ctx context.Context, key Key) (Lease, error) {
	for {
		p, err := s.Pool(key)
		if err != nil {
			return Lease{}, err
		}
		lease, err := p.Acquire(ctx)
		if !errors.Is(err, ErrPoolClosed) || s.ended() {
			return lease, err
		}
	}
}

// Pool returns the pool of a key. It is closed when the key is forgotten.
//
//poolgen:if hasKeyed
func (s *Pools) Pool(key Key) (*Pool, error) {
	s.mu.Lock()
	p, closed := s.pools[key], s.closed
	s.mu.Unlock()
	if closed {
		return nil, ErrPoolClosed
	} else if p != nil {
		return p, nil
	}
	c, err := s.contextOf(key)
	if err != nil {
		return nil, &PoolError{"acquire", err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrPoolClosed
	} else if s.pools[key] != nil {
		return s.pools[key], nil
	}
	options := s.options.Pool
	options.set = s
	p, err = NewPool(c, options)
	if err != nil {
		return nil, err
	}
	s.pools[key] = p
	return p, nil
}

// Stats returns the statistics of the pools by key.
//
//poolgen:if hasKeyed
func (s *Pools) Stats() map[Key]PoolStats {
	all := map[Key]PoolStats{}
	for key, p := range s.snapshot() {
		all[key] = p.Stats()
	}
	return all
}

// Close closes all pools, as [Pool.Close] does, at the same time.
//
//poolgen:if hasKeyed
func (s *Pools) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.ticker.Stop()
	s.mu.Unlock()
	pools := slices.Collect(maps.Values(s.snapshot()))
	errs := make([]error, len(pools))
	var closing sync.WaitGroup
	for i, p := range pools {
		closing.Go(func() { errs[i] = p.Close(ctx) })
	}
	closing.Wait()
	return errors.Join(errs...)
}

// snapshot returns the pools there are.
//
//poolgen:if hasKeyed
func (s *Pools) snapshot() map[Key]*Pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.pools)
}

// ended reports whether the set is closed.
//
//poolgen:if hasKeyed
func (s *Pools) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// forget closes the pools that nobody has used since it looked last.
//
//poolgen:if hasKeyed
func (s *Pools) forget() {
	for key, p := range s.snapshot() {
		st := p.Stats()
		s.mu.Lock()
		idle := st.Acquired == s.asked[key] && st.Idle+st.Vacant == st.MaxSize && st.Waiting == 0
		if s.asked[key] = st.Acquired; idle {
			delete(s.pools, key)
			delete(s.asked, key)
		}
		s.mu.Unlock()
		if idle {
			go p.Close(context.Background())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.ticker.Reset(s.options.IdleTimeout)
	}
}

// afford reserves a connection of the total for a pool, whose mu is locked. If there is none, the pool will be told
// when there may be one.
//
//poolgen:if hasKeyed
func (s *Pools) afford(p *Pool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total < s.options.MaxTotal {
		s.total++
		return true
	}
	if !slices.Contains(s.starving, p) {
		s.starving = append(s.starving, p)
		go s.reclaim(p)
	}
	return false
}

// vacated takes a connection off the total.
//
//poolgen:if hasKeyed
func (s *Pools) vacated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	for _, p := range s.starving {
		go p.settle()
	}
	s.starving = nil
}

// reclaim retires an idle connection of another pool. As nobody is told when one falls idle, it looks again after a
// while, for as long as the pool starves.
//
//poolgen:if hasKeyed
func (s *Pools) reclaim(starving *Pool) {
	for _, p := range s.snapshot() {
		if p == starving {
			continue
		}
		p.mu.Lock()
		idle := p.search(p.high, 0)
		if idle != nil {
			p.retire(idle, &p.stats.RetiredSurplus)
		}
		p.unlock()
		if idle != nil {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && slices.Contains(s.starving, starving) {
		time.AfterFunc(10*time.Millisecond, func() { s.reclaim(starving) })
	}
}

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
	MaxTotal    int           // how many connections there are at the most, all keys together, those outside the pools aside; by default any number
	IdleTimeout time.Duration // a key that nobody asks for is forgotten after this, or up to twice this, and its connections are retired; by default 10 min
}

// Pools is a set of pools by key, such as an endpoint or a tenant. Its methods may be called at the same time.
//
// While there are MaxTotal connections, a pool that needs one starves, in a queue of those that do. It is fed
// when a connection of any pool is gone. Idle ones are retired for that. If there are none, the set waits
// for one in the queue of the pool that has the most, as a requester would, and the longer, the more pools
// it turns to. It leaves a pool alone that has hardly more connections than the one that starves: else two busy
// pools would for ever take them from each other.
//
//poolgen:if hasKeyed
type Pools struct {
	contextOf func(Key) (Context, error)
	options   PoolsOptions

	mu       sync.Mutex // guards all that follows; a pool's mu may be locked before, but not after
	pools    map[Key]*Pool
	parting  map[*Pool]bool    // pools that are no longer of a key, but not closed yet
	asked    map[Key]uint64    // how often a pool had been asked at the latest look
	total    int               // connections, those being created and closed included
	starving []*Pool           // pools that wait for a connection of another to be gone, first come, first served
	hungry   map[*Pool]bool    // the same; true for those that have asked since the latest look
	turn     *Pool             // the pool that what there is was offered to, until it takes that or feed goes on
	coming   int               // connections that are being retired for those that starve
	claims   map[*Pool]*waiter // by which the set waits in the queues of pools for another one
	ticker   *time.Timer       // calls forget
	feeder   *time.Timer       // calls feed, soon or after a while; is set, or feed runs, as long as anybody starves
	feeding  bool              // feed runs,
	again    bool              // and has to once more
	closed   bool
}

// NewPools returns an empty set. A pool is made when its key is first asked for.
// Its context is what contextOf returns for the key.
//
//poolgen:if hasKeyed
func NewPools(contextOf func(Key) (Context, error), options PoolsOptions) (*Pools, error) {
	var err error
	preset(&options.MaxTotal, math.MaxInt32, "PoolsOptions.MaxTotal", &err)
	preset(&options.IdleTimeout, 10*time.Minute, "PoolsOptions.IdleTimeout", &err)
	if each := options.Pool; err == nil {
		err = each.complete()
	}
	if err != nil {
		return nil, err
	}
	s := &Pools{
		contextOf: contextOf, options: options, pools: map[Key]*Pool{}, parting: map[*Pool]bool{}, asked: map[Key]uint64{},
		hungry: map[*Pool]bool{}, claims: map[*Pool]*waiter{},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ticker = time.AfterFunc(options.IdleTimeout, s.forget)
	s.feeder = time.AfterFunc(math.MaxInt64, s.feed)
	s.feeder.Stop()
	return s, nil
}

// Acquire leases a connection of a key, as [Pool.Acquire] does. While there are MaxTotal connections, idle
// ones of other keys make room.
//
//poolgen:if hasKeyed
func (s *Pools) Acquire(ctx context.Context, key Key) (Lease, error) {
	for { // until a pool has lasted that long: each that has not is taken out of the set
		p, err := s.pool(key)
		if err != nil {
			return Lease{}, err
		}
		lease, err := p.Acquire(ctx)
		if !errors.Is(err, ErrPoolClosed) || !s.replace(key, p) {
			return lease, err
		}
	}
}

// Pool returns the pool of a key. It is closed when the key is forgotten; if somebody else closes it, the key gets a
// new one.
//
//poolgen:if hasKeyed
func (s *Pools) Pool(key Key) (*Pool, error) {
	for {
		p, err := s.pool(key)
		if err != nil || !s.replace(key, p) {
			return p, err
		}
	}
}

// pool returns the pool of a key, even if somebody has closed it.
//
//poolgen:if hasKeyed
func (s *Pools) pool(key Key) (*Pool, error) {
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
		return nil, &PoolError{Op: "acquire", Err: err}
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
	s.feeder.Stop()
	s.mu.Unlock()
	pools := s.all()
	errs := make([]error, len(pools))
	var closing sync.WaitGroup
	closing.Add(len(pools))
	for i, p := range pools {
		go func() {
			defer closing.Done()
			errs[i] = p.Close(ctx)
		}()
	}
	closing.Wait()
	return errors.Join(errs...)
}

// snapshot returns the pools there are, by key.
//
//poolgen:if hasKeyed
func (s *Pools) snapshot() map[Key]*Pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.pools)
}

// all returns the pools that may have connections.
//
//poolgen:if hasKeyed
func (s *Pools) all() []*Pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.AppendSeq(slices.Collect(maps.Keys(s.parting)), maps.Values(s.pools))
}

// replace sees to it that a key gets a new pool if the one it had has been closed.
//
//poolgen:if hasKeyed
func (s *Pools) replace(key Key, p *Pool) bool {
	p.mu.Lock()
	ended := p.closed
	ended = ended || p.draining //poolgen:if hasDrain
	p.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if ended && !s.closed && s.pools[key] == p {
		s.part(key, p)
	}
	return ended && !s.closed
}

// part takes a pool that is going to be closed out of the set, under mu. Close waits for it all the same.
//
//poolgen:if hasKeyed
func (s *Pools) part(key Key, p *Pool) {
	delete(s.pools, key)
	delete(s.asked, key)
	s.parting[p] = true
	go func() {
		<-p.drained.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.parting, p)
	}()
}

// forget closes the pools that nobody has asked since it looked last.
//
//poolgen:if hasKeyed
func (s *Pools) forget() {
	for key, p := range s.snapshot() {
		st := p.Stats()
		asked := st.Acquired - uint64(st.InUse) + st.Waits + st.Rejected // a lease that is about to end counts twice in Acquired
		idle := st.Idle+st.Vacant == st.MaxSize && st.Waiting == 0
		idle = idle && st.Fresh == 0 //poolgen:if hasFresh
		idle = idle && !s.ejected(p) //poolgen:if hasBreaker
		s.mu.Lock()
		if before, known := s.asked[key]; idle && known && before == asked && s.pools[key] == p {
			s.part(key, p)
			go p.Close(context.Background())
		} else if s.pools[key] == p {
			s.asked[key] = asked
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.ticker.Reset(s.options.IdleTimeout)
	}
}

// ejected reports whether the breaker of a pool keeps requesters away, who are not counted then. What it knows would be
// forgotten with the key.
//
//poolgen:if hasKeyed && hasBreaker
func (s *Pools) ejected(p *Pool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken()
}

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
	feeding   sync.Mutex // held by feed; may be locked before all others

	mu       sync.Mutex // guards all that follows; a pool's mu may be locked before, but not after
	pools    map[Key]*Pool
	parting  map[*Pool]bool // pools that are no longer of a key, but not closed yet
	asked    map[Key]uint64 // how often a pool had been asked at the latest look
	total    int            // connections, those being created and closed included
	starving []*Pool        // pools that wait for a connection of another to be gone, first come, first served
	turn     *Pool          // the one of them that may have what there is
	coming   int            // connections that are being retired for them
	claims   map[*Pool]bool // pools in whose queues the set waits for another one,
	sated    chan struct{}  // until this is closed
	ticker   *time.Timer    // calls forget
	feeder   *time.Timer    // calls feed, soon or after a while
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
	s := &Pools{options: options, pools: map[Key]*Pool{}, parting: map[*Pool]bool{}, asked: map[Key]uint64{}, claims: map[*Pool]bool{}}
	s.contextOf = contextOf
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
	s.feeder.Stop()
	pools := slices.AppendSeq(slices.Collect(maps.Keys(s.parting)), maps.Values(s.pools))
	s.mu.Unlock()
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

// snapshot returns the pools there are.
//
//poolgen:if hasKeyed
func (s *Pools) snapshot() map[Key]*Pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.pools)
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

// afford reserves a connection of the total for a pool, whose mu is locked, or has it starve until there is one.
//
//poolgen:if hasKeyed
func (s *Pools) afford(p *Pool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.alone(p):
		return false
	case s.total < s.options.MaxTotal && (s.turn == p || s.turn == nil && len(s.starving) == 0):
		s.total++
		s.turn = nil
		return true
	case !slices.Contains(s.starving, p):
		s.starving = append(s.starving, p)
		s.feeder.Reset(0)
	}
	return false
}

// alone reports whether it is only the set itself that waits in the queue of a pool, under both their mu.
//
//poolgen:if hasKeyed
func (s *Pools) alone(p *Pool) bool { return s.claims[p] && p.stats.Waiting-p.stats.Creating <= 1 }

// vacated takes a connection off the total.
//
//poolgen:if hasKeyed
func (s *Pools) vacated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	s.coming = max(0, s.coming-1)
	if len(s.starving) > 0 {
		s.feeder.Reset(0)
	}
}

// feed offers what there is to those who starve, and makes room for the others. As nobody is told when a connection
// falls idle, it looks again after a while, as long as anybody starves.
//
//poolgen:if hasKeyed
func (s *Pools) feed() {
	s.feeding.Lock()
	defer s.feeding.Unlock()
	for p := s.next(); p != nil; p = s.next() {
		p.settle()
	}
	most := s.hunger()
	var richest *Pool
	for _, p := range s.snapshot() {
		if has := s.reclaim(p); has > most {
			richest, most = p, has
		}
	}
	if richest != nil {
		s.claim(richest)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case len(s.starving) > 0 && s.total < s.options.MaxTotal:
		s.feeder.Reset(0)
	case len(s.starving) > 0:
		s.feeder.Reset(10 * time.Millisecond)
	case s.sated != nil:
		close(s.sated)
		s.sated = nil
	}
}

// next returns the pool whose turn it is to have a connection, as long as there is one to have.
//
//poolgen:if hasKeyed
func (s *Pools) next() *Pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn = nil
	if !s.closed && len(s.starving) > 0 && s.total < s.options.MaxTotal {
		s.turn = s.starving[0]
		s.starving = slices.Delete(s.starving, 0, 1)
	}
	return s.turn
}

// hunger sends those away who starve no longer. It returns the number of connections above which a pool has to part
// with one, even if that is in use: more than the poorest of those who have starved for a while would have then.
//
//poolgen:if hasKeyed
func (s *Pools) hunger() int {
	s.mu.Lock()
	starving := slices.Clone(s.starving)
	s.mu.Unlock()
	most := math.MaxInt
	for _, p := range starving {
		p.mu.Lock()
		if has := p.stats.MaxSize - p.stats.Vacant; !s.starves(p) {
			s.mu.Lock()
			s.starving = slices.DeleteFunc(s.starving, func(other *Pool) bool { return other == p })
			s.mu.Unlock()
		} else if time.Since(p.line.next.begun) < 10*time.Millisecond {
			// The next connection to fall idle will do.
		} else if has == 0 {
			most = 0
		} else {
			most = min(most, has+1)
		}
		p.mu.Unlock()
	}
	return most
}

// starves reports whether a pool, whose mu is locked, would create a connection if it could afford it.
//
//poolgen:if hasKeyed
func (s *Pools) starves(p *Pool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.stats.Vacant > 0 && !s.alone(p) && (!hasLimits || p.stats.Creating < p.options.MaxConcurrentCreates) && (!hasBreaker || !p.broken()) && p.short()
}

// reclaim retires idle connections of a pool, as many as those need who starve. It returns how many the pool has, if
// the set could wait for one of them.
//
//poolgen:if hasKeyed
func (s *Pools) reclaim(p *Pool) (has int) {
	p.mu.Lock()
	defer p.unlock()
	p.match()
	for idle := p.search(p.high, 0); idle != nil && s.spend(p, idle); idle = p.search(p.high, 0) {
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.closed || s.claims[p] {
		return 0
	}
	has = p.stats.MaxSize - p.stats.Vacant
	has -= p.stats.Closing //poolgen:if hasClose
	return has
}

// spend retires a connection of a pool, whose mu is locked, for those who starve. If they don't need it, the pool
// keeps it.
//
//poolgen:if hasKeyed
func (s *Pools) spend(p *Pool, place *slot) bool {
	s.mu.Lock()
	needed := len(s.starving) > s.coming
	if needed {
		s.coming++
	}
	s.mu.Unlock()
	if needed {
		p.retire(place, &p.stats.RetiredSurplus)
	} else {
		p.deliver(place)
	}
	return needed
}

// claim joins the queue of a pool, for the next connection that those leave over who wait there already.
//
//poolgen:if hasKeyed
func (s *Pools) claim(p *Pool) {
	p.mu.Lock()
	defer p.unlock()
	if p.closed {
		return
	}
	s.mu.Lock()
	if s.sated == nil {
		s.sated = make(chan struct{})
	}
	sated := s.sated
	s.claims[p] = true
	s.mu.Unlock()
	ctx := p.line.prev.ctx // for a create, which is for somebody else
	if ctx == nil {
		ctx = context.Background()
	}
	w := p.waiter(ctx, sated, time.Now())
	p.insert(w)
	go s.collect(p, w)
}

// collect waits for the outcome of a claim.
//
//poolgen:if hasKeyed
func (s *Pools) collect(p *Pool, w *waiter) {
	var place *slot
	select {
	case place = <-w.ready:
	case <-w.done:
		p.mu.Lock()
		if w.prev != nil {
			p.remove(w)
			w.wake(nil, nil)
		}
		p.mu.Unlock()
		place = <-w.ready
	}
	p.mu.Lock()
	defer p.unlock()
	s.mu.Lock()
	delete(s.claims, p)
	s.mu.Unlock()
	if place != nil {
		s.spend(p, place)
	}
}

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
	preset(&options.MaxTotal, math.MaxInt32, "MaxTotal", &err)
	preset(&options.IdleTimeout, 10*time.Minute, "IdleTimeout", &err)
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

// afford reserves a connection of the total for a pool, whose mu is locked. If it can't, and a requester waits for
// that, the pool starves until there is one. While it has none for its own requesters, the set does not wait there.
//
//poolgen:if hasKeyed
func (s *Pools) afford(p *Pool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := p.stats.Waiting - p.stats.Creating
	claim := s.claims[p]
	claimed := claim != nil && claim.prev != nil
	if claimed {
		wanted--
	}
	switch {
	case claimed && wanted <= 0: // only the set waits
	case s.total < s.options.MaxTotal && (s.turn == p || s.turn == nil && len(s.starving) == 0):
		s.total++
		s.turn = nil
		if claimed {
			p.withdraw(claim)
		}
		return true
	case wanted > 0:
		if _, known := s.hungry[p]; !known {
			s.starving = append(s.starving, p)
			s.hasten()
		}
		s.hungry[p] = true
	}
	return false
}

// withdraw ends a claim on a pool, whose mu is locked.
//
//poolgen:if hasKeyed
func (p *Pool) withdraw(claim *waiter) {
	if claim.prev != nil {
		p.remove(claim)
		claim.wake(nil, nil)
	}
}

// vacated takes a connection off the total.
//
//poolgen:if hasKeyed
func (s *Pools) vacated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	s.coming = max(0, s.coming-1)
	if len(s.starving) > 0 {
		s.hasten()
	}
}

// hasten has feed run from its beginning, now or after the run that is under way.
//
//poolgen:if hasKeyed
func (s *Pools) hasten() {
	if s.again = true; !s.feeding && !s.closed {
		s.feeder.Reset(0)
	}
}

// feed offers what there is to those who starve, and makes room for the others. As nobody is told when a connection
// falls idle, it looks again after a while, as long as anybody starves.
//
// It ends: each round of the first loop takes a pool out of the queue, and only that pool may have what there is. It
// comes back only if it has got that and wants more. So each round leaves less room or, if the pool needs none by
// now (its requesters have left, its breaker is open, it is closed), as much room and a shorter queue. Both grow only
// by what somebody else does: by the end of a connection, which was created before, and by the first requester of a pool
// that did not starve. Only after one of these two it runs again at once.
//
//poolgen:if hasKeyed
func (s *Pools) feed() {
	s.mu.Lock()
	if s.feeding || s.closed {
		s.mu.Unlock()
		return
	}
	s.feeding, s.again = true, false
	s.mu.Unlock()
	for p := s.next(); p != nil; p = s.next() {
		p.settle()
	}
	most := s.hunger()
	var richest *Pool
	for _, p := range s.all() {
		if has := s.reclaim(p); has > most {
			richest, most = p, has
		}
	}
	if richest != nil {
		s.claim(richest)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feeding = false
	if s.again {
		s.hasten()
	} else if len(s.starving) > 0 && !s.closed {
		s.feeder.Reset(10 * time.Millisecond)
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
		delete(s.hungry, s.turn)
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
	clear(s.hungry)
	for _, p := range starving {
		s.hungry[p] = false
	}
	s.mu.Unlock()
	most := math.MaxInt
	for _, p := range starving {
		p.mu.Lock()
		has, since := p.stats.MaxSize-p.stats.Vacant, p.line.next.begun
		p.unlock() // asks for a connection if it needs one
		s.mu.Lock()
		switch {
		case !s.hungry[p]:
			s.starving = slices.DeleteFunc(s.starving, func(other *Pool) bool { return other == p })
			delete(s.hungry, p)
		case time.Since(since) < 10*time.Millisecond: // the next connection to fall idle will do
		case has == 0:
			most = 0
		default:
			most = min(most, has+1)
		}
		s.mu.Unlock()
	}
	return most
}

// needs reports whether others than p starve for whom nothing is there or on its way, under mu.
//
//poolgen:if hasKeyed
func (s *Pools) needs(p *Pool) bool {
	others := len(s.starving)
	if _, too := s.hungry[p]; too {
		others--
	}
	return others > s.coming+s.options.MaxTotal-s.total
}

// reclaim retires idle connections of a pool, as many as others need. It returns how many the pool has, if the set
// could wait for one of them. It does not go on waiting for what can't come, or is not needed any more.
//
//poolgen:if hasKeyed
func (s *Pools) reclaim(p *Pool) (has int) {
	p.mu.Lock()
	defer p.unlock()
	p.match()
	for idle := s.spare(p); idle != nil; idle = s.spare(p) { // each takes one of needs
		p.retire(idle, &p.stats.RetiredSurplus)
	}
	has = p.stats.MaxSize - p.stats.Vacant
	has -= p.stats.Closing //poolgen:if hasClose
	s.mu.Lock()
	defer s.mu.Unlock()
	claim, needed := s.claims[p], s.needs(p)
	if claim != nil && (has == 0 || !needed) {
		p.withdraw(claim)
	}
	if p.closed || claim != nil || !needed {
		return 0
	}
	return has
}

// spare claims an idle connection of a pool, whose mu is locked, if others need one and its own requesters don't.
//
//poolgen:if hasKeyed
func (s *Pools) spare(p *Pool) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.stats.Waiting > 0 || !s.needs(p) {
		return nil
	}
	idle := p.search(p.high, 0)
	if idle != nil {
		s.coming++
	}
	return idle
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
	w := p.waiter(context.Background(), nil, time.Now())
	s.mu.Lock()
	s.claims[p] = w
	s.mu.Unlock()
	p.insert(w)
	go s.collect(p, w)
}

// collect waits for the outcome of a claim. What is not needed any more, the pool keeps.
//
//poolgen:if hasKeyed
func (s *Pools) collect(p *Pool, w *waiter) {
	place := <-w.ready
	p.mu.Lock()
	defer p.unlock()
	s.mu.Lock()
	delete(s.claims, p)
	needed := place != nil && s.needs(p)
	if needed {
		s.coming++
	}
	s.mu.Unlock()
	if needed {
		p.retire(place, &p.stats.RetiredSurplus)
	} else if place != nil {
		p.deliver(place)
	}
}

package pool

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"
)

// slot is a place for a connection, at least as large as a cache line: so two seldom share one.
type slot struct {
	turn    atomic.Uint64 // see Pool
	pool    *Pool
	conn    *Conn   // the owner's, like spare
	spare   *waiter // that got the place to its owner
	state   *int    // the number in the pool's stats that counts the place; guarded by mu
	doom    *uint64 //poolgen:if hasDoom // why the connection is to be retired, a number of the stats; nil if it isn't
	_       [8]byte //poolgen:if !hasDoom && fixedSize
	_       [8]byte //poolgen:if !hasDoom && !hasFresh && !hasCheck
	index   int
	fresh   bool                   //poolgen:if hasFresh // outside the pool
	ready   bool                   //poolgen:if hasCheck // created or checked for whoever owns the place now
	queue   int8                   //poolgen:if hasRejoin // the sign of what acquire has, of a requester who may be refused
	virgin  bool                   //poolgen:if hasBeforeAcquire // never leased
	holder  atomic.Pointer[holder] //poolgen:if hasLeaks // who acquired the connection last
	created time.Time              //poolgen:if hasAge // when the connection was,
	idled   time.Time              //poolgen:if hasAge // when it was released last,
	rested  time.Duration          //poolgen:if hasAge // how long before the lease that was, and
	first   uint64                 //poolgen:if hasAge // the turn of its first lease
	begun   time.Time              //poolgen:if hasHolds // when the lease did
}

// lease makes the owner of s the holder of a lease.
//
//poolgen:once
func (s *slot) lease() Lease {
	s.ready = false      //poolgen:if hasCheck
	s.virgin = false     //poolgen:if hasBeforeAcquire
	s.begun = time.Now() //poolgen:if hasHolds
	if hasAge {
		s.rested = time.Since(s.idled)
	}
	if !hasDoom && !hasLeaks {
		return Lease{leased: s.conn, slot: s, turn: s.turn.Load()}
	}
	turn := s.turn.Load()
	turn &^= doomed //poolgen:if hasDoom
	if hasLeaks {
		return Lease{leased: s.conn, slot: s, turn: turn, handle: s.hold(turn)}
	}
	return Lease{leased: s.conn, slot: s, turn: turn}
}

func (p *Pool) place(i int) *slot {
	if fixedSize {
		return &p.fixed[i]
	}
	return (*p.slots.Load())[i]
}

// places returns how many places there have been.
//
//poolgen:if !fixedSize || hasStats || hasRetain || hasBarging
//poolgen:once
func (p *Pool) places() int {
	if fixedSize {
		return size
	}
	return len(*p.slots.Load())
}

// size returns how many places there may be.
//
//poolgen:once
func (p *Pool) size() int {
	if fixedSize {
		return size
	}
	if hasMaxSize {
		return p.stats.MaxSize
	}
	return p.options.MaxSize
}

// take claims an idle place, or returns nil if there is none, or none for newcomers. Goroutines that run at the same time
// start at different places, or they fight over a cache line: the address of the stack tells them apart for free.
//
//poolgen:once // Goroutines that run at the same time start at different places: the address of the stack tells them apart for free.
func (p *Pool) take() *slot {
	var local byte
	hash := uint32(uintptr(unsafe.Pointer(&local))>>11) * 0x9e3779b1
	limit := int(p.limit.Load())
	if hasBarging && limit < 0 {
		limit = -limit
	}
	return p.search(limit, int(uint64(hash)*uint64(min(limit, p.lanes))>>32))
}

// search claims an idle place among the first n, from the i-th on: low ones stay in use, high ones fall idle.
func (p *Pool) search(n, i int) *slot {
	for range n {
		s := p.place(i)
		if turn := s.turn.Load(); turn&1 == 1 && s.turn.CompareAndSwap(turn, turn-1) {
			return s
		}
		if i++; i == n {
			i = 0
		}
	}
	return nil
}

// arrived notes that a place has got its connection.
//
//poolgen:if hasArrival
func (p *Pool) arrived(s *slot) {
	s.virgin = true //poolgen:if hasBeforeAcquire
	if hasAge {
		s.created, s.idled, s.first = time.Now(), time.Now(), s.turn.Load()&^doomed
	}
	if hasUpkeep && (!hasFresh || !s.fresh) {
		p.age(s)
	}
}

// vacancy returns the lowest vacant place, of which there must be one. It is to be filled.
//
//poolgen:once // The lowest vacant place is filled.
func (p *Pool) vacancy() *slot {
	i := 0
	for i < p.high && p.place(i).state != &p.stats.Vacant {
		i++
	}
	if !fixedSize && i == p.places() {
		grown := append(*p.slots.Load(), &slot{pool: p, index: i, state: &p.stats.Vacant})
		p.slots.Store(&grown)
		p.ages = append(p.ages, age{}) //poolgen:if hasUpkeep
	}
	p.high = max(p.high, i+1)
	return p.place(i)
}

// afford reserves a connection of the total of the set that the pool is of, for a place that is not going to
// be vacant any more.
//
//poolgen:if hasKeyed
func (p *Pool) afford() bool { return p.options.set == nil || p.options.set.afford(p) }

// fillable is how many of the vacant places may be filled now.
//
//poolgen:if hasCeiling && hasQueue
func (p *Pool) fillable(vacant int) int {
	if hasBreaker && p.broken() {
		return 0
	}
	if hasKeyed && vacant > 0 && p.options.set != nil {
		vacant = min(vacant, p.options.set.room(p))
	}
	return max(0, vacant)
}

// outside makes a place outside the pool.
//
//poolgen:if hasFresh
func (p *Pool) outside(conn *Conn) *slot {
	p.stats.Fresh++
	return &slot{pool: p, conn: conn, fresh: true, state: &p.stats.Fresh}
}

// move changes what a place is counted as, under mu.
func (p *Pool) move(s *slot, to *int) {
	if hasFresh && s.fresh { // which it stays until it is gone
		if to == &p.stats.Vacant {
			p.stats.Fresh--
		}
		return
	}
	*s.state--
	*to++
	s.state = to
	if hasKeyed && to == &p.stats.Vacant && p.options.set != nil {
		p.options.set.vacated()
	}
	if hasDoom && to == &p.stats.Vacant && s.doom != nil {
		s.doom = nil
		s.turn.And(^uint64(doomed))
	}
	if hasLifetime && to == &p.stats.Vacant {
		p.ages[s.index].expires = 0
	}
	for p.high > 0 && p.place(p.high-1).state == &p.stats.Vacant {
		p.high--
	}
}

// retire parts with the connection of a place that is the caller's, under mu.
// (hasClose) The place is not vacant before it is closed, so that there are never more connections than places.
func (p *Pool) retire(s *slot, reason *uint64) {
	*reason++ //poolgen:if hasReasons
	if observesRetired {
		go observeRetired(p.options.Observer, p.why(reason))
	}
	if hasClose {
		p.start(context.Background(), s, &job{op: "close", state: &p.stats.Closing})
	} else {
		p.move(s, &p.stats.Vacant)
	}
	s.conn = none
}

// drop is retire for those who don't hold mu.
//
//poolgen:once
func (p *Pool) drop(s *slot, reason *uint64) {
	p.mu.Lock()
	p.retire(s, reason)
	p.unlock()
}

// unlock ends a critical section, begins the creates that the queue is worth, and opens or shuts the fast path.
func (p *Pool) unlock() {
	if hasDrain && p.draining && !p.closed && p.quiet() {
		p.closed = true
		p.patience.Stop() //poolgen:if hasBarging
		p.timer.Stop()    //poolgen:if hasDemand || hasBreaker
		p.ticker.Stop()   //poolgen:if hasUpkeep
		p.match()
	}
	for p.stats.Vacant > 0 && (!hasLimits || p.stats.Creating < p.options.MaxConcurrentCreates) && (!hasBreaker || !p.broken()) && p.short() && (!hasKeyed || p.afford()) {
		s := p.vacancy()
		p.start(p.line.prev.ctx, s, &job{op: "create", state: &p.stats.Creating})
		p.dialed = time.Now() //poolgen:if hasDemand
	}
	limit := int64(p.high)
	if p.stats.Waiting > 0 || p.closed || hasDrain && p.draining {
		limit = 0
	}
	if hasBarging && p.stats.Waiting > 0 && p.mayBarge() {
		limit = -int64(p.high)
	}
	if p.limit.Load() != limit {
		p.limit.Store(limit)
	}
	if p.closed && p.stats.Vacant == p.size() && (!hasFresh || p.stats.Fresh == 0) {
		p.drain()
	}
	p.mu.Unlock()
}

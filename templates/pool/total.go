package pool

import (
	"context"
	"math"
	"slices"
	"time"
)

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
// now (its requesters have left, or it may not create), as much room and a shorter queue. Both grow only
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

// room returns how many connections a pool can have without that others have to end a lease for them.
//
//poolgen:if hasKeyed && hasQueue
func (s *Pools) room(p *Pool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.options.MaxTotal - s.total + s.coming - len(s.starving)
	if _, too := s.hungry[p]; too {
		room++
	}
	for _, other := range s.pools {
		for i := 0; other != p && room < p.stats.Vacant && i < other.places(); i++ {
			room += int(other.place(i).turn.Load() & 1)
		}
	}
	return room
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
	w := p.newWaiter(context.Background(), nil, time.Now())
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

package pool

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// tape is a sequence of operations, in bytes: two for each, the first of which says what and the second to whom or how long.
type tape struct {
	*backend
	requests []*request
	cancels  []context.CancelFunc
	stale    []*held // leases that have ended
}

// FuzzOperations plays sequences of operations on a pool in virtual time. After each the statistics must add up, and
// at the end backend.finish holds the pool to what is always true.
func FuzzOperations(f *testing.F) {
	seeds := rand.New(rand.NewPCG(5, 3))
	for range 150 {
		bytes := make([]byte, 2+seeds.IntN(160))
		for i := range bytes {
			bytes[i] = byte(seeds.Uint32())
		}
		f.Add(bytes)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if len(bytes) < 2 || len(bytes) > 1000 {
			return
		}
		options := PoolOptions{MaxSize: 1 + int(bytes[0]%4), CreateTimeout: 2 * time.Second}
		options.HealthCheckTimeout = 2 * time.Second                 //poolgen:if hasCheck
		options.MaxConcurrentCreates = int(bytes[1] % 3)             //poolgen:if hasLimits
		options.MaxWaiters = 2 * int(bytes[1]/3%3)                   //poolgen:if hasLimits
		options.CreateRetries = int(bytes[1] / 9 % 2)                //poolgen:if hasRetry
		options.Barging = time.Duration(bytes[1]/36%2) * time.Second //poolgen:if hasBarging
		options.BreakAfter = 3 * int(bytes[1]/18%2)                  //poolgen:if hasBreaker
		virtual(t, options, func(t *testing.T, b *backend) {
			b.overflows = true // by AcquireOrCreate, Insert and Resize
			p := &tape{backend: b}
			for bytes := bytes[2:]; len(bytes) >= 2; bytes = bytes[2:] {
				operations[int(bytes[0])%len(operations)](p, int(bytes[1]))
				synctest.Wait()
				p.sum()
			}
		})
	})
}

// sum requires that the numbers of the places add up. Vacant may be negative after a Resize.
func (p *tape) sum() {
	if !hasStats {
		return
	}
	s := p.pool.Stats()
	sum := s.Vacant
	for _, n := range append(underWay(s), s.Idle, s.InUse) {
		require.GreaterOrEqual(p, n, 0, "%+v", s)
		sum += n
	}
	require.Equal(p, s.MaxSize, sum, "places: %+v", s)
}

// operations are what a tape may hold; what is common is there more than once.
var operations = []func(p *tape, n int){
	(*tape).acquire, (*tape).acquire, (*tape).acquire, (*tape).acquire,
	(*tape).release, (*tape).release, (*tape).release,
	(*tape).releaseStale, (*tape).discard, (*tape).cancel, (*tape).pass, (*tape).pass,
	(*tape).create,
	(*tape).try,    //poolgen:if hasTry
	(*tape).excess, //poolgen:if hasOutside
	(*tape).detach, //poolgen:if hasDetach
	(*tape).warm,   //poolgen:if hasWarm
	(*tape).insert, //poolgen:if hasInsert
	(*tape).retain, //poolgen:if hasRetain
	(*tape).reset,  //poolgen:if hasReset
	(*tape).resize, //poolgen:if hasResize
	(*tape).need,   //poolgen:if hasNeeds
	(*tape).check,  //poolgen:if hasCheck
	(*tape).die,    //poolgen:if hasCheck
	(*tape).close,  //poolgen:if hasClose
	(*tape).clear,  //poolgen:if resetsHere || resetsAway
	(*tape).vet,    //poolgen:if hasBeforeAcquire
	(*tape).end,
}

func (p *tape) acquire(n int) { p.ask(n, p.pool.Acquire) }

//poolgen:if hasTry
func (p *tape) try(n int) { p.ask(n, p.pool.TryAcquire) }

//poolgen:if hasOutside
func (p *tape) excess(n int) { p.ask(n, p.pool.AcquireOrCreate) }

// ask has somebody ask for a connection, for at least 10 ms and at most 2.5 s.
func (p *tape) ask(n int, acquire func(context.Context) (Lease, error)) {
	ctx, cancel := context.WithTimeout(p.ctx, time.Duration(n+1)*10*time.Millisecond)
	p.cancels = append(p.cancels, cancel)
	context.AfterFunc(p.ctx, cancel)
	p.requests = append(p.requests, p.launch(ctx, acquire, nil))
}

func (p *tape) cancel(n int) {
	if len(p.cancels) > 0 {
		p.cancels[n%len(p.cancels)]()
	}
}

// pick takes a lease that somebody has, or returns nil.
func (p *tape) pick(n int) *held {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.held) == 0 {
		return nil
	}
	i := n % len(p.held)
	h := p.held[i]
	p.held = append(p.held[:i:i], p.held[i+1:]...)
	p.stale = append(p.stale, h)
	return h
}

// A hook may end the goroutine of who ends a lease.

func (p *tape) release(n int) {
	if h := p.pick(n); h != nil {
		go h.Release()
	}
}

func (p *tape) discard(n int) {
	if h := p.pick(n); h != nil {
		go h.Discard()
	}
}

//poolgen:if hasDetach
func (p *tape) detach(n int) {
	if h := p.pick(n); h != nil {
		h.Detach()
	}
}

func (p *tape) releaseStale(n int) {
	if len(p.stale) > 0 {
		p.stale[n%len(p.stale)].Lease.Release()
	}
}

func (p *tape) pass(n int) { time.Sleep(time.Duration(n) * 10 * time.Millisecond) }

//poolgen:if hasWarm
func (p *tape) warm(n int) { go p.pool.Warm(p.ctx, n%p.size()+1, nil) }

//poolgen:if hasInsert
func (p *tape) insert(int) { p.pool.Insert(p.connect(p.ctx, nil)) }

//poolgen:if hasRetain
func (p *tape) retain(n int) { p.pool.Retain(func(c *Conn) bool { return (c.id+n)%2 == 0 }) }

//poolgen:if hasReset
func (p *tape) reset(int) { p.pool.Reset() }

//poolgen:if hasResize
func (p *tape) resize(n int) { p.pool.Resize(n%4 + 1) }

//poolgen:if hasNeeds
func (p *tape) need(n int) { p.needing(func(*Conn) bool { return n%2 == 0 }) }

func (p *tape) create(n int) { p.creating(behaviour(n)) }

//poolgen:if hasCheck
func (p *tape) check(n int) { p.checking(behaviour(n)) }

//poolgen:if hasCheck
func (p *tape) die(int) { p.kill() }

//poolgen:if hasClose
func (p *tape) close(n int) { p.closing(behaviour(n)) }

//poolgen:if resetsHere || resetsAway
func (p *tape) clear(n int) { p.resetting(behaviour(n)) }

//poolgen:if hasBeforeAcquire
func (p *tape) vet(n int) { p.set(func() { p.onBeforeAcquire = behaviour(n) }) }

// end closes the pool, which most tapes do not.
func (p *tape) end(n int) {
	if n%8 == 0 {
		go p.pool.Close(p.ctx)
	}
}

// behaviour is what a hook does, half of the time what it should.
func behaviour(n int) script {
	all := []script{
		fail(errRefused), take(300 * time.Millisecond), take(24 * time.Hour), deaf(300 * time.Millisecond), deaf(24 * time.Hour), panicking("oh no"), exit,
	}
	if n%14 < len(all) {
		return all[n%14]
	}
	return succeed
}

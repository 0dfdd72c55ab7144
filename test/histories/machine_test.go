package histories

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// machine is a pool beside a model of it, in virtual time. Hooks succeed or fail at once, so that after each operation the
// model knows all numbers.
type machine struct {
	*rapid.T
	*Server
	*subject
	pool    *FullPool
	ctx     context.Context
	failing bool // creates fail
	closed  bool
	size    int
	last    int          // connection that was created or inserted
	dead    map[int]bool // fail their checks, which are always due
	doomed  map[int]bool // leased, and to be retired on release
	surplus int          // more of the leased ones are, we can't know which
	idle    []int
	held    []held
	stale   []held
	queue   []*requester
	stats   FullPoolStats // what it must say, as far as it says it
	retired uint64        // by Reset and by Resize
}

// requester is an Acquire under way.
type requester struct {
	begun  time.Time
	until  time.Time
	cancel context.CancelFunc
	over   bool
	held   held
	err    error
}

// TestMachine compares a pool to the model after each of a random sequence of operations. What fails is shrunk.
func TestMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			m := &machine{T: t, size: rapid.IntRange(1, 4).Draw(t, "MaxSize"), dead: map[int]bool{}, doomed: map[int]bool{}}
			ctx, end := context.WithCancel(context.Background())
			defer synctest.Wait()
			defer end() // what still waits then
			m.ctx = ctx
			m.Server = &Server{script: m.script, needs: func(*connection) bool { return true }, began: time.Now()}
			m.pool, m.subject = fullSubject(t, m.Server, m.size)
			t.Repeat(map[string]func(*rapid.T){
				"": m.compare, "acquire": m.acquire, "acquire again": m.acquire, "try": m.try, "acquire or create": m.excess,
				"release": m.release, "release again": m.release, "discard": m.discard, "detach": m.detach, "release a stale lease": m.releaseStale,
				"cancel": m.cancel, "pass": m.pass, "insert": m.insert, "reset": m.reset, "resize": m.resize,
				"kill": m.kill, "fail": m.fail, "close": m.end,
			})
		})
	})
}

func (m *machine) script(_ context.Context, hook string, c *connection) error {
	if hook == "create" && m.failing || hook == "check" && m.dead[c.id] {
		return errRefused
	}
	return nil
}

func (m *machine) must(ok bool, format string, args ...any) {
	m.Helper()
	if !ok {
		m.Fatalf(format, args...)
	}
}

// places are those that are leased.
func (m *machine) places() (n int) {
	for _, h := range m.held {
		if !h.fresh {
			n++
		}
	}
	return n
}

func (m *machine) vacant() int { return m.size - m.places() - len(m.idle) }

// isClosed reports whether the close hook was called with the connection.
func (m *machine) isClosed(id int) bool {
	for _, c := range m.conns {
		if c.id == id {
			return c.closes.Load() > 0
		}
	}
	return false
}

func (m *machine) launch(patience time.Duration, acquire func(context.Context) (held, error)) *requester {
	ctx, cancel := context.WithTimeout(m.ctx, patience)
	r := &requester{begun: time.Now(), until: time.Now().Add(patience), cancel: cancel}
	go func() {
		defer cancel()
		r.held, r.err = acquire(ctx)
		r.over = true
	}()
	synctest.Wait()
	return r
}

// served requires that a requester has a connection: that one or, if it is 0, a new one.
func (m *machine) served(r *requester, conn int) {
	m.Helper()
	m.must(r.over && r.err == nil, "a requester who must be served is not: %v, %v", r.over, r.err)
	if conn == 0 {
		m.created()
		conn = m.last
	}
	m.must(r.held.id == conn, "a requester got connection %d, not %d", r.held.id, conn)
	m.held = append(m.held, r.held)
}

// created counts a create, of the connection that is the last one now.
func (m *machine) created() {
	m.last++
	m.stats.Created++
}

func (m *machine) failed(r *requester, how string) {
	m.Helper()
	m.must(r.over && m.outcome(r.err) == how, "a requester ended with %v, %v, not with %s", r.over, r.err, how)
}

// fill gives the vacant places to the queue.
func (m *machine) fill() {
	m.Helper()
	synctest.Wait()
	if m.failing && m.vacant() > 0 {
		m.failAll()
		return
	}
	var made []int // at the same time: who gets which, is up to the scheduler
	for range min(len(m.queue), m.vacant()) {
		m.created()
		made = append(made, m.last)
	}
	for range made {
		r := m.queue[0]
		m.queue = m.queue[1:]
		i := slices.Index(made, r.held.id)
		m.must(i >= 0, "a requester got connection %d, %v, not one of the new ones %v", r.held.id, r.err, made)
		made = slices.Delete(made, i, i+1)
		m.served(r, r.held.id)
	}
}

// failAll is fill when creates fail: one for each requester but, if there is no connection at all, those who have waited as
// long as a create may take share one.
func (m *machine) failAll() {
	m.Helper()
	creates, shared := int(m.ids.Load())-m.last, 0
	for _, r := range m.queue {
		m.failed(r, "failed")
		if m.places() == 0 && time.Since(r.begun) >= 10*time.Second {
			shared++
		}
	}
	all := len(m.queue)
	m.must(min(all, max(1, all-shared)) <= creates && creates <= all, "%d creates for %d requesters, of whom %d may share one", creates, all, shared)
	m.queue = nil
	m.last += creates
	m.stats.CreateFailures += uint64(creates)
}

func (m *machine) createFor(r *requester) {
	m.Helper()
	if m.failing {
		m.failed(r, "failed")
		m.stats.CreateFailures++
		m.last++ // it has taken the number
		return
	}
	m.served(r, 0)
}

func (m *machine) acquire(t *rapid.T) {
	r := m.launch(time.Duration(rapid.IntRange(1, 100).Draw(t, "seconds"))*time.Second, m.subject.acquire)
	switch {
	case m.closed:
		m.failed(r, "closed")
	case len(m.idle) > 0:
		m.lease(r, "waits")
	case m.vacant() > 0:
		m.createFor(r)
	default:
		m.must(!r.over, "a requester did not wait: %v", r.err)
		m.queue = append(m.queue, r)
	}
}

// lease gives a requester an idle connection. If it came upon a dead one, all of them are found out, and it may have a new
// one. If Resize has left no place for that, what becomes of it is otherwise.
func (m *machine) lease(r *requester, otherwise string) {
	m.Helper()
	dead := slices.DeleteFunc(slices.Clone(m.idle), func(id int) bool { return !m.dead[id] })
	found := slices.DeleteFunc(slices.Clone(dead), func(id int) bool { return !m.isClosed(id) })
	m.must(len(found) == 0 || len(found) == len(dead), "of the dead connections %v only %v were closed", dead, found)
	if len(found) == 0 {
		i := slices.Index(m.idle, r.held.id)
		m.must(r.over && i >= 0 && !m.dead[r.held.id], "a requester got connection %d, %v, with %v idle", r.held.id, r.err, m.idle)
		m.idle = slices.Delete(m.idle, i, i+1)
		m.served(r, r.held.id)
		return
	}
	m.stats.RetiredUnhealthy += uint64(len(found))
	m.idle = slices.DeleteFunc(m.idle, func(id int) bool { return m.dead[id] })
	for int(m.ids.Load()) > m.last { // one create or none
		if m.last++; m.failing {
			m.stats.CreateFailures++
		} else {
			m.stats.Created++
			m.idle = append(m.idle, m.last)
		}
	}
	if !r.over { // It is its turn, but there is no place.
		m.must(otherwise == "waits" && m.vacant() <= 0 && len(m.idle) == 0, "a requester who came upon a dead connection waits, with %d places vacant and %v idle", m.vacant(), m.idle)
		m.queue = append([]*requester{r}, m.queue...)
		return
	}
	if r.err != nil && otherwise == "exhausted" && m.vacant() <= 0 && len(m.idle) == 0 {
		m.failed(r, "exhausted")
		m.stats.Rejected++
		return
	}
	if r.err != nil {
		m.must(m.failing, "a requester who came upon a dead connection failed: %v", r.err)
		m.failed(r, "failed")
		return
	}
	i := slices.Index(m.idle, r.held.id)
	m.must(i >= 0, "a requester got connection %d, with %v idle or new", r.held.id, m.idle)
	m.idle = slices.Delete(m.idle, i, i+1)
	m.served(r, r.held.id)
}

func (m *machine) try(*rapid.T) {
	r := m.launch(time.Second, m.subject.try)
	switch {
	case m.closed:
		m.failed(r, "closed")
	case len(m.idle) > 0:
		m.lease(r, "exhausted")
	case m.vacant() > 0:
		m.createFor(r)
	default:
		m.failed(r, "exhausted")
		m.stats.Rejected++
	}
}

func (m *machine) excess(*rapid.T) {
	r := m.launch(time.Second, m.subject.excess)
	switch {
	case m.closed:
		m.failed(r, "closed")
	case len(m.idle) > 0:
		m.lease(r, "fresh")
	default:
		fresh := m.vacant() <= 0
		m.createFor(r)
		m.must(r.err != nil || r.held.fresh == fresh, "with %d vacant places a lease is fresh: %v", m.vacant(), r.held.fresh)
	}
}

// pick takes a lease from those who have one.
func (m *machine) pick(t *rapid.T) held {
	if len(m.held) == 0 {
		t.Skip("nobody has a lease")
	}
	i := rapid.IntRange(0, len(m.held)-1).Draw(t, "lease")
	h := m.held[i]
	m.held = slices.Delete(m.held, i, i+1)
	m.stale = append(m.stale, h)
	return h
}

func (m *machine) release(t *rapid.T) {
	h := m.pick(t)
	h.release()
	synctest.Wait()
	switch {
	case m.parted(h):
		m.retired++
	case m.closed || h.fresh:
		m.stats.RetiredUnwanted++
		m.must(m.isClosed(h.id), "connection %d is not closed after its release", h.id)
	case m.dead[h.id] && len(m.queue) > 0:
		m.stats.RetiredUnhealthy++
		m.must(m.isClosed(h.id), "connection %d, dead, is not closed", h.id)
	case len(m.queue) > 0:
		r := m.queue[0]
		m.queue = m.queue[1:]
		m.served(r, h.id)
	default:
		m.idle = append(m.idle, h.id)
	}
	m.fill()
}

// parted reports whether a released connection was one that Reset or Resize has doomed, and sees whether it is closed then.
func (m *machine) parted(h held) bool {
	if h.fresh {
		return false
	}
	if m.doomed[h.id] {
		m.must(m.isClosed(h.id), "connection %d, from before a Reset, is not closed", h.id)
		return true
	}
	left := 0 // that may be the surplus
	for _, other := range m.held {
		if !other.fresh && !m.doomed[other.id] {
			left++
		}
	}
	if got := m.pool.Stats(); m.surplus > 0 && got.RetiredSurplus+got.RetiredReset > m.retired {
		m.surplus--
		m.must(m.isClosed(h.id), "connection %d, one too many, is not closed", h.id)
		return true
	}
	m.must(m.surplus <= left, "of %d leases %d are too many", left, m.surplus)
	return false
}

func (m *machine) discard(t *rapid.T) {
	h := m.pick(t)
	h.discard()
	m.stats.RetiredDiscarded++
	synctest.Wait()
	m.must(m.isClosed(h.id), "connection %d is not closed after Discard", h.id)
	m.leaves(h)
}

func (m *machine) detach(t *rapid.T) {
	h := m.pick(t)
	m.must(h.detach(), "Detach of a lease returned no connection")
	m.stats.Detached++
	synctest.Wait()
	m.must(!m.isClosed(h.id), "connection %d was closed by Detach", h.id)
	m.leaves(h)
}

// leaves is for a connection that goes whether it was doomed or not. We can't ask which of the surplus it was, but
// what is left tells.
func (m *machine) leaves(h held) {
	if !h.fresh && !m.doomed[h.id] && m.surplus > 0 {
		m.surplus = m.doomedByResize()
	}
	m.fill()
}

// doomedByResize counts in the pool what only it can know.
func (m *machine) doomedByResize() (n int) {
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	for i := range m.pool.high {
		if s := m.pool.place(i); s.doom == &m.pool.stats.RetiredSurplus && !m.doomed[s.conn.id] {
			n++
		}
	}
	return n
}

func (m *machine) releaseStale(t *rapid.T) {
	if len(m.stale) == 0 {
		t.Skip("no lease has ended")
	}
	h := m.stale[rapid.IntRange(0, len(m.stale)-1).Draw(t, "lease")]
	h.release()
	h.discard()
	synctest.Wait()
	m.must(!h.detach(), "Detach of a lease that had ended returned a connection")
}

func (m *machine) cancel(t *rapid.T) {
	if len(m.queue) == 0 {
		t.Skip("nobody waits")
	}
	i := rapid.IntRange(0, len(m.queue)-1).Draw(t, "requester")
	r := m.queue[i]
	m.queue = slices.Delete(m.queue, i, i+1)
	r.cancel()
	synctest.Wait()
	m.failed(r, "canceled")
	m.stats.Canceled++
}

func (m *machine) pass(t *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second)
	synctest.Wait()
	m.queue = slices.DeleteFunc(m.queue, func(r *requester) bool {
		late := !time.Now().Before(r.until)
		if late {
			m.failed(r, "canceled")
			m.stats.Canceled++
		}
		return late
	})
}

func (m *machine) insert(*rapid.T) {
	m.last = int(m.ids.Add(1))
	m.stats.Created++
	how := m.outcome(m.subject.insert(m.last))
	synctest.Wait()
	switch {
	case m.closed:
		m.must(how == "closed", "Insert: %s", how)
		m.stats.RetiredUnwanted++
	case m.vacant() <= 0:
		m.must(how == "exhausted", "Insert: %s", how)
		m.stats.RetiredUnwanted++
	default:
		m.must(how == "ok", "Insert: %s", how)
		m.idle = append(m.idle, m.last)
	}
	m.must(m.isClosed(m.last) == (how != "ok"), "connection %d after Insert: closed is %v", m.last, m.isClosed(m.last))
}

func (m *machine) reset(*rapid.T) {
	m.subject.reset()
	synctest.Wait()
	m.retired += uint64(len(m.idle))
	m.idle, m.surplus = nil, 0
	for _, h := range m.held {
		if !h.fresh {
			m.doomed[h.id] = true
		}
	}
	m.fill()
}

func (m *machine) resize(t *rapid.T) {
	n := rapid.IntRange(1, 4).Draw(t, "MaxSize")
	how := m.outcome(m.subject.resize(n))
	synctest.Wait()
	if m.closed {
		m.must(how == "closed", "Resize: %s", how)
		return
	}
	m.must(how == "ok", "Resize: %s", how)
	m.size = n
	doomed := m.surplus
	for _, h := range m.held {
		if !h.fresh && m.doomed[h.id] {
			doomed++
		}
	}
	excess := -m.vacant() - doomed
	for ; excess > 0 && len(m.idle) > 0; excess-- {
		i := slices.IndexFunc(m.idle, m.isClosed)
		m.must(i >= 0, "of the idle connections %v not enough were closed", m.idle)
		m.idle = slices.Delete(m.idle, i, i+1)
		m.retired++
	}
	m.surplus += max(0, excess)
	m.fill()
}

func (m *machine) kill(*rapid.T) {
	for _, c := range m.conns {
		m.dead[c.id] = true
	}
}

func (m *machine) fail(*rapid.T) { m.failing = !m.failing }

func (m *machine) end(t *rapid.T) {
	if rapid.IntRange(0, 4).Draw(t, "really if 0") > 0 {
		t.Skip("not yet")
	}
	go func() { _ = m.subject.close(m.ctx) }()
	synctest.Wait()
	if !m.closed {
		m.stats.RetiredUnwanted += uint64(len(m.idle))
	}
	m.closed = true
	for _, r := range m.queue {
		m.failed(r, "closed")
	}
	m.queue, m.idle = nil, nil
}

// compare requires that all that the pool says of itself is what the model says.
func (m *machine) compare(t *rapid.T) {
	synctest.Wait()
	got := m.pool.Stats()
	want := m.stats
	want.MaxSize, want.Idle, want.InUse, want.Vacant, want.Waiting = m.size, len(m.idle), m.places(), m.vacant(), len(m.queue)
	want.Fresh = len(m.held) - m.places()
	numbers := func(s FullPoolStats, retired uint64) string {
		return fmt.Sprintf("%d places: %d idle, %d in use, %d vacant, %d fresh, %d at work; %d wait; created %d, failures %d, unhealthy %d, discarded %d, unwanted %d, detached %d, reset or surplus %d, rejected %d, canceled %d",
			s.MaxSize, s.Idle, s.InUse, s.Vacant, s.Fresh, s.Creating+s.Checking+s.Resetting+s.Closing, s.Waiting, s.Created, s.CreateFailures,
			s.RetiredUnhealthy, s.RetiredDiscarded, s.RetiredUnwanted, s.Detached, retired, s.Rejected, s.Canceled)
	}
	is, must := numbers(got, got.RetiredReset+got.RetiredSurplus), numbers(want, m.retired)
	m.must(is == must, "the pool says\n%s, and must say\n%s", is, must)
	for _, h := range m.held {
		m.must(!m.isClosed(h.id), "connection %d is leased and closed", h.id)
	}
	for _, id := range m.idle {
		m.must(!m.isClosed(id), "connection %d is idle and closed", id)
	}
}

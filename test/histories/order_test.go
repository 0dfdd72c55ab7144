package histories

import "github.com/anishathalye/porcupine"

const (
	inserted = 512 // connections from this number on were inserted, not created
	most     = 12  // leases at a time
)

// event is an operation as it was seen.
type event struct {
	op    string
	lease int // which it is about
	conn  int
	n     int    // what it was called with
	fresh bool   // the lease is outside the pool
	how   string // it ended
}

// grant is a lease that has not ended.
type grant struct {
	lease, conn int
	fresh       bool
}

// set is a set of connections.
type set [2 * inserted / 64]uint64

func (s set) has(conn int) bool { return s[conn/64]>>(conn%64)&1 == 1 }
func (s *set) add(conn int)     { s[conn/64] |= 1 << (conn % 64) }

// world is a pool as it looks from outside, when one thing happens after the other.
type world struct {
	max, ceiling int // the ceiling is above max while leases are out that a Resize has left no places for
	closed       bool
	reset        int // connections up to this number were created before the last Reset
	present      set // inserted, and not reset since
	gone         set // closed, or not to come back
	grants       [most]grant
}

// leased is how many leases are of places.
func (w *world) leased() (n int) {
	for _, g := range w.grants {
		if g.conn > 0 && !g.fresh {
			n++
		}
	}
	return n
}

// find returns where the lease with that number, or of that connection, is.
func (w *world) find(lease, conn int) int {
	for i, g := range w.grants {
		if g.conn > 0 && (g.lease == lease || g.conn == conn) {
			return i
		}
	}
	return -1
}

// stays reports whether the pool may lease the connection from now on.
func (w *world) stays(conn int) bool {
	if conn >= inserted {
		return w.present.has(conn)
	}
	return conn > w.reset
}

// step reports whether e can have happened in w, and changes w to what comes of it.
func (w *world) step(e event) bool {
	switch e.op {
	case "acquire":
		return w.acquire(e)
	case "release", "discard", "detach":
		return w.end(e)
	case "insert":
		if e.how == "ok" {
			w.present.add(e.conn)
		}
		return w.closed == (e.how == "closed")
	case "reset":
		w.reset, w.present = max(w.reset, e.n), set{}
	case "resize":
		if e.how == "ok" {
			// A create under way may outlive a lease that is one too many.
			w.max, w.ceiling = e.n, max(e.n, min(w.ceiling, e.n+w.leased()))
		}
		return w.closed == (e.how == "closed")
	case "hook closes":
		w.gone.add(e.conn)
		return w.find(-1, e.conn) < 0
	case "close begins":
		w.closed = true
	case "close ends":
		return w.closed && w.grants == [most]grant{}
	}
	return true
}

func (w *world) acquire(e event) bool {
	if e.how != "ok" {
		return w.closed == (e.how == "closed")
	}
	if w.closed || w.gone.has(e.conn) || w.find(-1, e.conn) >= 0 || !e.fresh && (w.leased() >= w.ceiling || !w.stays(e.conn)) {
		return false
	}
	// Sorted, so that equal worlds are equal.
	i := 0
	for w.grants[i].conn > 0 && w.grants[i].lease < e.lease {
		i++
	}
	copy(w.grants[i+1:], w.grants[i:])
	w.grants[i] = grant{e.lease, e.conn, e.fresh}
	return true
}

// end is a release or the like: the first one of a lease counts, and the others do nothing.
func (w *world) end(e event) bool {
	i := w.find(e.lease, -1)
	if i < 0 {
		return e.op != "detach" || e.how == "nothing"
	}
	g := w.grants[i]
	copy(w.grants[i:], w.grants[i+1:])
	w.grants[most-1] = grant{}
	if e.op != "release" || g.fresh || !w.stays(g.conn) {
		w.gone.add(g.conn)
	}
	w.ceiling = max(w.max, min(w.ceiling, w.max+w.leased()))
	return e.op != "detach" || e.how == "ok"
}

// model is the world as porcupine wants it.
func model(size int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return world{max: size, ceiling: size} },
		Step: func(state, input, _ any) (bool, any) {
			w := state.(world)
			ok := w.step(input.(event))
			return ok, w
		},
		DescribeOperation: func(input, _ any) string {
			return describe(input.(event))
		},
	}
}

package pool

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// secret is what every connection and every context of a requester gives away to whoever formats it.
const secret = "hunter2"

func (c *Conn) String() string   { return secret }
func (c *Conn) GoString() string { return secret }

type secretKey struct{}

// The pool formats neither connections nor contexts: what it says, in whatever it goes wrong, has no secret in it.
func TestNoErrorAndNoStatisticTellsASecret(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, CreateTimeout: time.Second}, func(t *testing.T, b *backend) {
		told := 0
		keeps := func(what any) {
			t.Helper()
			if what != nil {
				told++
			}
			for _, format := range []string{"%v", "%+v", "%#v"} {
				require.NotContains(t, fmt.Sprintf(format, what), secret)
			}
		}
		ask := func() {
			ctx, cancel := context.WithTimeout(context.WithValue(b.ctx, secretKey{}, secret), 5*time.Second)
			defer cancel()
			r := b.request(ctx).wait()
			if keeps(r.err); r.err == nil && r.held != nil {
				go r.held.Release() // whose goroutine a hook may end
			}
			time.Sleep(10 * time.Second)
			keeps(b.pool.Stats()) //poolgen:if hasStats
		}
		for _, wrong := range []script{fail(errRefused), panicking("oh no"), exit, take(time.Hour), deaf(2 * time.Second)} {
			for _, h := range b.acquireAll(2) { // so that one has to be created
				h.Discard()
			}
			time.Sleep(time.Second)
			b.creating(wrong)
			ask()
			b.heal()
			ask()
			b.resetting(wrong) //poolgen:if resetsAway || resetsHere
			ask()
			b.heal()
			ask()
			b.allDue()        //poolgen:if hasNeeds
			b.checking(wrong) //poolgen:if hasCheck
			ask()
			b.heal()
			ask()
			b.closing(wrong) //poolgen:if hasClose
			b.acquire().Discard()
			ask()
			b.heal()
			time.Sleep(10 * time.Second)
		}
		held := b.acquireAll(2)
		ask() // in vain
		keeps(b.closePool(time.Second))
		ask()
		b.release(held...)
		require.GreaterOrEqual(t, told, 5, "nothing went wrong")
	})
}

package pool

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A backend is deaf for a minute, while a requester comes every 2 s and gives up after 5 s. The first who comes when it is
// well again is served at once, though creates from before are still under way.
//
//poolgen:if hasDemand
func TestCRE07ARequesterAfterADeafTimeDoesNotWaitForACreateOfThatTime(t *testing.T) {
	for name, create := range map[string]script{"heeds its context": take(time.Hour), "never returns": deaf(time.Hour)} {
		t.Run(name, func(t *testing.T) {
			virtual(t, PoolOptions{MaxSize: 10}, func(t *testing.T, b *backend) {
				b.creating(create)
				for range 30 {
					ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
					defer cancel()
					b.launch(ctx, b.pool.Acquire, func(h *held) { h.Release() })
					time.Sleep(2 * time.Second)
				}
				b.creating(succeed)
				r := b.request(b.ctx)
				h := r.wait().held
				require.Zero(t, r.took)
				b.release(h)
			})
		})
	}
}

package pool

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

//poolgen:if hasCheck
func TestTwoRequestersWhoseChecksFailAreServedInTheOrderTheyCame(t *testing.T) {
	virtual(t, PoolOptions{MaxSize: 2, HealthCheckTimeout: time.Minute}, func(t *testing.T, b *backend) {
		b.idle(2)
		b.allDue()
		b.checking(inTurn(take(time.Second).then(fail(errDirty)), take(2*time.Second).then(fail(errDirty)), succeed))
		b.creating(take(10 * time.Second))
		first := b.request(b.ctx)
		time.Sleep(time.Millisecond)
		second := b.request(b.ctx)
		first.wait()
		second.wait()
		require.Less(t, first.took, second.took, "the second requester has overtaken the first")
	})
}

package generated

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// Two places that share a cache line slow down those who use them at the same time: S2 took three times as long.
func TestThePlacesOfAConstantSizeAreCacheLines(t *testing.T) {
	standard, err := NewDefaultFixedPool(nil, DefaultFixedPoolOptions{})
	require.NoError(t, err)
	core, err := NewBareFixedPool(nil, BareFixedPoolOptions{})
	require.NoError(t, err)
	for _, place := range []uintptr{
		uintptr(unsafe.Pointer(&standard.fixed[0])), uintptr(unsafe.Pointer(&standard.fixed[1])),
		uintptr(unsafe.Pointer(&core.fixed[0])), uintptr(unsafe.Pointer(&core.fixed[1])),
	} {
		require.Zero(t, place%64)
	}
}

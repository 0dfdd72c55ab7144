package pool

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// Two goroutines on different places must not share a cache line, and a place must not cost more than one.
func TestAPlaceIsACacheLine(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("sizes are those of 64-bit processors")
	}
	require.EqualValues(t, 64, unsafe.Sizeof(slot{}))
}

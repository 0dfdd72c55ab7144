package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALeakIsNoticedAmongFaults(t *testing.T) {
	const hour = time.Hour
	leaks := map[string]bool{"heap in use, MiB": false, "goroutines": true, "file descriptors": true}
	samples := levelled(hour, func(i int, at float64) float64 {
		if leaks[levels[i].name] {
			return 20 * at // one in three minutes
		}
		return 0
	})
	for _, trend := range trends(samples, hour/5, hour) {
		require.Equal(t, !leaks[trend.name], trend.flat(), "%+v", trend)
	}
}

func TestFaultsAloneAreNoLeak(t *testing.T) {
	for range 100 {
		for _, trend := range trends(levelled(time.Minute, func(int, float64) float64 { return 0 }), 12*time.Second, time.Minute) {
			require.True(t, trend.flat(), "%+v", trend)
		}
	}
}

// levelled returns samples as of a soak, in which a level is well above what it usually is while there is a fault.
func levelled(lasts time.Duration, growth func(level int, at float64) float64) (samples []sample) {
	period := max(lasts/600, 500*time.Millisecond)
	fault := 0
	for at := period; at < lasts; at += period {
		if fault = max(fault-1, 0); rand.IntN(8) == 0 {
			fault = 3
		}
		s := sample{at: at}
		for i := range s.levels {
			s.levels[i] = 30 + float64(rand.IntN(6)+20*min(fault, 1)) + growth(i, at.Hours())
		}
		samples = append(samples, s)
	}
	return samples
}

func TestTheLineIsThatOfMostValues(t *testing.T) {
	var at, values []float64
	for i := range 20 {
		at, values = append(at, float64(i)), append(values, 100+2*float64(i))
	}
	values[3], values[11], values[17] = 1000, 0, 5000
	line := fit(at, values)
	require.InDelta(t, 38, line.growth, 0.1)
	require.Greater(t, line.lowest, 0.0)
}

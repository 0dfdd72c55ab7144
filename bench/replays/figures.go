package replays

import (
	"slices"
	"time"
)

// percentile is the least of these that n % don't exceed.
func percentile(of []time.Duration, n int) time.Duration {
	if len(of) == 0 {
		return 0
	}
	of = slices.Sorted(slices.Values(of))
	return of[(len(of)*n+99)/100-1]
}

// round leaves three digits or so.
func round(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d > time.Second:
		return d.Round(time.Millisecond)
	case d > 100*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(10 * time.Microsecond)
}

// inTime counts those within the limit.
func inTime(took []time.Duration, limit time.Duration) (n int) {
	for _, d := range took {
		if d <= limit {
			n++
		}
	}
	return n
}

// inversions counts the pairs of which the greater one comes first.
func inversions(of []int) (n int) {
	for i, a := range of {
		for _, b := range of[i+1:] {
			if a > b {
				n++
			}
		}
	}
	return n
}

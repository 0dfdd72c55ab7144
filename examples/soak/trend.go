package main

import (
	"math"
	"slices"
	"time"
)

// trend is the line through one level, after the warm-up.
type trend struct {
	name           string
	unit           float64
	median         float64
	growth         float64 // from end to end,
	lowest, utmost float64 // and how little and how much it may really be
	bound          float64
}

// flat reports whether the level has not grown, so far as one can tell, by more than it may.
func (t trend) flat() bool { return t.growth <= t.bound || t.lowest <= 0 }

// windows is how many a soak is divided into. A fault changes several samples in a row, but not all of a window, whose
// median it leaves alone.
const windows = 20

// trends fits a line to each level.
func trends(samples []sample, warmUp, end time.Duration) (all []trend) {
	for i, level := range levels {
		var at, values []float64
		for w := range time.Duration(windows) {
			from, to := warmUp+(end-warmUp)*w/windows, warmUp+(end-warmUp)*(w+1)/windows
			if m := medianOf(within(samples, i, from, to)); !math.IsNaN(m) {
				at, values = append(at, ((from+to)/2).Seconds()), append(values, m)
			}
		}
		t := fit(at, values)
		t.name, t.unit = level.name, level.unit
		t.bound = max(t.median/10, level.least)
		if level.name == "RSS, MiB" && raceDetector {
			t.bound = math.Inf(1)
		}
		all = append(all, t)
	}
	return all
}

// within returns the values of a level in a time.
func within(samples []sample, level int, from, to time.Duration) (values []float64) {
	for _, s := range samples {
		if s.at >= from && s.at < to && !math.IsNaN(s.levels[level]) {
			values = append(values, s.levels[level])
		}
	}
	return values
}

// fit is the estimate of Theil and Sen: the median of the slopes between all pairs of values, which a third of outliers does
// not move. By Kendall's test, the true slope is below the lowest, or above the utmost, with a probability of a thousandth
// each, if one value tells nothing of the next.
func fit(at, values []float64) trend {
	n := len(at)
	if n < 3 {
		return trend{median: math.NaN(), growth: math.NaN(), lowest: math.NaN(), utmost: math.NaN()}
	}
	slopes := make([]float64, 0, n*(n-1)/2)
	for i := range at {
		for j := range i {
			slopes = append(slopes, (values[i]-values[j])/(at[i]-at[j]))
		}
	}
	slices.Sort(slopes)
	const z = 3.1 // of a thousandth
	off := int(z*math.Sqrt(float64(n*(n-1)*(2*n+5))/18)/2) + 1
	span, last := at[n-1]-at[0], len(slopes)-1
	return trend{
		median: medianOf(values),
		growth: medianOf(slopes) * span,
		lowest: slopes[max(len(slopes)/2-off, 0)] * span,
		utmost: slopes[min(len(slopes)/2+off, last)] * span,
	}
}

// medianOf is NaN of nothing.
func medianOf(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	values = slices.Sorted(slices.Values(values))
	return (values[len(values)/2] + values[(len(values)-1)/2]) / 2
}

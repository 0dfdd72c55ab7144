package scenarios

import (
	"flag"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/trivial"
)

// BenchmarkScenarios measures all scenarios with all peers, one or some:
//
//	go test -run '^$' -bench 'Scenarios/S3/puddle' ./bench/scenarios
//
// -benchtime bounds how long each takes all in all; ns/op is the scenario's own only where it has such a metric.
func BenchmarkScenarios(b *testing.B) {
	for _, scenario := range All {
		for _, peer := range peers.All {
			if !scenario.Has(peer) {
				continue
			}
			b.Run(strings.ReplaceAll(scenario.Name, "/", "-")+"/"+strings.ReplaceAll(peer.Name, "/", "-"), func(b *testing.B) {
				if peer.Needs != "" && os.Getenv(peer.Needs) == "" {
					b.Skip("there is no server; scripts/services starts one")
				}
				sum := Result{}
				for range b.N {
					result, err := scenario.Run(b.Context(), peer, budget(b))
					require.NoError(b, err)
					for name, value := range result {
						sum[name] += value
					}
				}
				b.ReportMetric(0, "ns/op")
				for _, metric := range scenario.Metrics {
					if value, ok := sum[metric.Name]; ok {
						b.ReportMetric(value/float64(b.N), strings.ReplaceAll(metric.Name, " ", "-"))
					}
				}
			})
		}
	}
}

// budget is what a scenario gets of a benchmark's time.
func budget(b *testing.B) time.Duration {
	whole, err := time.ParseDuration(flag.Lookup("test.benchtime").Value.String())
	if err != nil {
		whole = time.Second // -benchtime is a count
	}
	return max(time.Millisecond, whole/10)
}

// BenchmarkScaling is acquire and release on as many goroutines as there are cores, for a bigger machine:
//
//	go test -run '^$' -bench Scaling -cpu 1,2,4,8,16 ./bench/scenarios
func BenchmarkScaling(b *testing.B) {
	for _, peer := range peers.All {
		scenario := parallel(2)[0]
		if !scenario.Has(peer) {
			continue
		}
		b.Run(strings.ReplaceAll(peer.Name, "/", "-"), func(b *testing.B) {
			pool, err := newPool(b.Context(), peer, peers.Config{Size: places, Server: new(trivial.Server)}, places)
			require.NoError(b, err)
			defer pool.Close()
			b.ReportAllocs()
			b.ResetTimer()
			require.NoError(b, loopN(b.Context(), pool, runtime.GOMAXPROCS(0), b.N))
		})
	}
}

package pool

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// refused requires that the constructor refuses the options, with an error that names the field and the value.
func refused(t *testing.T, options PoolOptions, field, value string) {
	t.Helper()
	pool, err := NewPool(&server{}, options)
	require.True(t, pool == nil, "there is a pool with %+v", options)
	require.ErrorContains(t, err, "PoolOptions."+field+" is "+value+":")
}

func TestBAS05ANegativeOptionIsAnErrorThatNamesIt(t *testing.T) {
	refused(t, PoolOptions{CreateTimeout: -time.Second}, "CreateTimeout", "-1s")
	refused(t, PoolOptions{MinIdle: -2}, "MinIdle", "-2")                                  //poolgen:if hasIdle
	refused(t, PoolOptions{MaxIdle: -3}, "MaxIdle", "-3")                                  //poolgen:if hasIdle
	refused(t, PoolOptions{IdleTimeout: -time.Minute}, "IdleTimeout", "-1m0s")             //poolgen:if hasIdle
	refused(t, PoolOptions{MaxLifetimeJitter: -1}, "MaxLifetimeJitter", "-1ns")            //poolgen:if hasLifetime
	refused(t, PoolOptions{MaxWaiters: -4}, "MaxWaiters", "-4")                            //poolgen:if hasLimits
	refused(t, PoolOptions{MaxConcurrentCreates: -5}, "MaxConcurrentCreates", "-5")        //poolgen:if hasLimits
	refused(t, PoolOptions{Barging: -1}, "Barging", "-1ns")                                //poolgen:if hasBarging
	refused(t, PoolOptions{AcquireTimeout: -1}, "AcquireTimeout", "-1ns")                  //poolgen:if hasTimeout
	refused(t, PoolOptions{CreateRetries: -6}, "CreateRetries", "-6")                      //poolgen:if hasRetry
	refused(t, PoolOptions{BreakAfter: -7}, "BreakAfter", "-7")                            //poolgen:if hasBreaker
	refused(t, PoolOptions{BreakTime: -time.Second}, "BreakTime", "-1s")                   //poolgen:if hasBreaker
	refused(t, PoolOptions{HealthCheckTimeout: -time.Second}, "HealthCheckTimeout", "-1s") //poolgen:if hasCheck
	refused(t, PoolOptions{HealthCheckPeriod: -time.Second}, "HealthCheckPeriod", "-1s")   //poolgen:if hasBackground
	refused(t, PoolOptions{LeakThreshold: -time.Second}, "LeakThreshold", "-1s")           //poolgen:if hasLeaks
}

// The other options that it bounds are not to blame.
//
//poolgen:if !fixedSize
func TestBAS05ANegativeMaxSizeIsAnErrorThatNamesIt(t *testing.T) {
	refused(t, PoolOptions{MaxSize: -1}, "MaxSize", "-1")
}

//poolgen:if hasLifetime
func TestBAS05ANegativeMaxLifetimeIsAnErrorThatNamesIt(t *testing.T) {
	refused(t, PoolOptions{MaxLifetime: -time.Hour}, "MaxLifetime", "-1h0m0s")
}

//poolgen:if hasIdle && !fixedSize
func TestBAS05MinIdleBeyondMaxSizeIsAnError(t *testing.T) {
	refused(t, PoolOptions{MaxSize: 5, MinIdle: 6}, "MinIdle", "6")
	_, err := NewPool(&server{}, PoolOptions{MaxSize: 5, MinIdle: 6})
	require.ErrorContains(t, err, "MaxSize, 5")
}

//poolgen:if hasIdle
func TestBAS05MinIdleBeyondMaxIdleIsAnError(t *testing.T) {
	refused(t, PoolOptions{MaxIdle: 1, MinIdle: 2}, "MinIdle", "2")
	_, err := NewPool(&server{}, PoolOptions{MaxIdle: 1, MinIdle: 2})
	require.ErrorContains(t, err, "MaxIdle, 1")
}

//poolgen:if hasLifetime
func TestBAS05AJitterLongerThanTheLifetimeIsAnError(t *testing.T) {
	refused(t, PoolOptions{MaxLifetime: time.Minute, MaxLifetimeJitter: time.Hour}, "MaxLifetimeJitter", "1h0m0s")
	refused(t, PoolOptions{MaxLifetimeJitter: time.Hour}, "MaxLifetimeJitter", "1h0m0s")
	_, err := NewPool(&server{}, PoolOptions{MaxLifetime: time.Minute, MaxLifetimeJitter: time.Hour})
	require.ErrorContains(t, err, "MaxLifetime, 1m0s")
}

//poolgen:if hasLifetime && hasIdle
func TestBAS05AnIdleTimeoutLongerThanTheLifetimeIsAnError(t *testing.T) {
	refused(t, PoolOptions{MaxLifetime: time.Minute, IdleTimeout: time.Hour}, "IdleTimeout", "1h0m0s")
}

// Limits that are equal make sense.
func TestBAS05OptionsAtTheirLimitsAreFine(t *testing.T) {
	var options PoolOptions
	options.MaxSize = 3                                   //poolgen:if !fixedSize
	options.MinIdle, options.MaxIdle = 3, 3               //poolgen:if hasIdle && !fixedSize
	options.MaxLifetime, options.MaxLifetimeJitter = 1, 1 //poolgen:if hasLifetime
	options.IdleTimeout = 1                               //poolgen:if hasIdle
	options.Observer = quiet()                            //poolgen:if hasObserver
	synctest.Test(t, func(t *testing.T) {
		pool, err := NewPool(newBackend(t, PoolOptions{}).pool.context, options)
		require.NoError(t, err)
		require.NoError(t, pool.Close(t.Context()))
	})
}

//poolgen:if hasObserver
func TestBAS05AnObserverThatIsNilIsAnErrorThatNamesIt(t *testing.T) {
	pool, err := NewPool(&server{}, PoolOptions{})
	require.True(t, pool == nil)
	require.ErrorContains(t, err, "PoolOptions.Observer is nil:")
}

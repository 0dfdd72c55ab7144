// Package memcached pools clients of memcached.
package memcached

//go:generate go tool poolgen -type=github.com/bradfitz/gomemcache/memcache.Client -create=memcache.NewFromSelector

// Package redigo pools connections to Redis made by redigo. The check is a command, which has arguments.
package redigo

import "github.com/gomodule/redigo/redis"

//go:generate go tool poolgen -type=redis.Conn -create=redis.DialURLContext -after-release=Err

func pingConn(c redis.Conn) error {
	_, err := c.Do("PING")
	return err
}

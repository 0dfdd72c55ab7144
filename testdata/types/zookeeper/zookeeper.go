// Package zookeeper pools sessions of ZooKeeper. Connect takes the servers and the time apart, and returns the
// events, too.
package zookeeper

import (
	"time"

	"github.com/go-zookeeper/zk"
)

//go:generate go tool poolgen -type=zk.Conn

func newConn(servers []string) (*zk.Conn, error) {
	conn, _, err := zk.Connect(servers, 10*time.Second)
	return conn, err
}

func brokenConn(c *zk.Conn) bool { return c.State() == zk.StateExpired }

// Package cassandra pools sessions of Cassandra.
package cassandra

//go:generate go tool poolgen -type=github.com/gocql/gocql.Session -create=gocql.NewSession -broken=Closed

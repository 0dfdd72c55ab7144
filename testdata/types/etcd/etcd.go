// Package etcd pools clients of etcd.
package etcd

//go:generate go tool poolgen -type=go.etcd.io/etcd/client/v3.Client -create=clientv3.New

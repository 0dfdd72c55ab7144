// Package thrift pools Thrift sockets. The address and the configuration are apart.
package thrift

import "github.com/apache/thrift/lib/go/thrift"

//go:generate go tool poolgen -type=thrift.TSocket -after-create=Open -before-acquire=IsOpen

func newTSocket(addr string) *thrift.TSocket { return thrift.NewTSocketConf(addr, nil) }

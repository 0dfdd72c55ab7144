// Package jsonrpc pools clients of net/rpc. The network and the address are apart.
package jsonrpc

import (
	"net/rpc"
	"net/rpc/jsonrpc"
)

//go:generate go tool poolgen -type=rpc.Client -create=dial

func dial(addr string) (*rpc.Client, error) { return jsonrpc.Dial("tcp", addr) }

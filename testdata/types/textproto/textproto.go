// Package textproto pools connections of a protocol in lines of text. The network and the address are apart.
package textproto

import "net/textproto"

//go:generate go tool poolgen -type=textproto.Conn

func dialConn(addr string) (*textproto.Conn, error) { return textproto.Dial("tcp", addr) }

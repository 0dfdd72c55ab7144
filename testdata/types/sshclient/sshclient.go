// Package sshclient pools SSH connections. Dial takes the network, the address and the configuration apart, and no
// context; the check is a global request.
package sshclient

import (
	"context"
	"net"

	"golang.org/x/crypto/ssh"
)

//go:generate go tool poolgen -type=ssh.Client

type server struct {
	addr   string
	config *ssh.ClientConfig
}

func newClient(ctx context.Context, s server) (*ssh.Client, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	c, channels, requests, err := ssh.NewClientConn(conn, s.addr, s.config)
	if err != nil {
		return nil, err
	}
	return ssh.NewClient(c, channels, requests), nil
}

func pingClient(c *ssh.Client) error {
	_, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
	return err
}

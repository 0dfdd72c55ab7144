// Package imap pools connections to a mailbox. DialTLS takes options, too, and Noop returns a command, which has the
// error.
package imap

import "github.com/emersion/go-imap/v2/imapclient"

//go:generate go tool poolgen -type=imapclient.Client

func newClient(addr string) (*imapclient.Client, error) { return imapclient.DialTLS(addr, nil) }

func pingClient(c *imapclient.Client) error { return c.Noop().Wait() }

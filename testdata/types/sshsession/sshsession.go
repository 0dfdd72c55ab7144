// Package sshsession pools sessions of an SSH connection. A session runs one command, so a lease of it ends with Discard: what
// the pool gives is sessions that are opened ahead, and never too many.
package sshsession

//go:generate go tool poolgen -type=golang.org/x/crypto/ssh.Session -create=ssh.Client.NewSession

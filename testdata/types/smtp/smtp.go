// Package smtp pools connections to a mail server, with the standard library.
package smtp

//go:generate go tool poolgen -type=net/smtp.Client -create=smtp.Dial -check=Noop

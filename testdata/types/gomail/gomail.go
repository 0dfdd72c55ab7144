// Package gomail pools clients that send mail.
package gomail

//go:generate go tool poolgen -type=github.com/wneessen/go-mail.Client -create=mail.NewClient -after-create=DialWithContext

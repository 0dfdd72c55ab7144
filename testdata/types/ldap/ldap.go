// Package ldap pools connections to a directory.
package ldap

//go:generate go tool poolgen -type=github.com/go-ldap/ldap/v3.Conn -create=ldap.DialURL -broken=IsClosing

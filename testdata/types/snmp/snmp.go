// Package snmp pools SNMP sessions. There is no constructor.
package snmp

import "github.com/gosnmp/gosnmp"

//go:generate go tool poolgen -type=gosnmp.GoSNMP -after-create=Connect

func newGoSNMP(target string) *gosnmp.GoSNMP {
	return &gosnmp.GoSNMP{Target: target, Port: 161, Version: gosnmp.Version2c, Community: "public"}
}

// Package rodbrowser pools headless browsers.
package rodbrowser

//go:generate go tool poolgen -type=github.com/go-rod/rod.Browser -create=rod.New -after-create=Connect

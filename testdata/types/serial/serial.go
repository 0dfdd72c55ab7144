// Package serial pools a serial port. Open takes the name and the mode apart.
package serial

import "go.bug.st/serial"

//go:generate go tool poolgen -type=serial.Port -reset=ResetInputBuffer

type device struct {
	name string
	mode *serial.Mode
}

func openPort(d device) (serial.Port, error) { return serial.Open(d.name, d.mode) }

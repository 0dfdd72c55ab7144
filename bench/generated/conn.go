// Package generated holds the generated pools that are measured: the same connection in pools of different feature
// groups.
package generated

import (
	"context"

	"github.com/poolgen/poolgen/bench/trivial"
)

//go:generate go tool poolgen -type=Bare -with=none
//go:generate go tool poolgen -type=BareFixed -with=none -size=32
//go:generate go tool poolgen -type=Default
//go:generate go tool poolgen -type=DefaultFixed -size=32
//go:generate go tool poolgen -type=Barging -with=barging
//go:generate go tool poolgen -type=All -with=all
//go:generate go tool poolgen -type=AllFixed -with=all -size=32
//go:generate go tool poolgen -type=Needs
//go:generate go tool poolgen -type=Checked

// Server is the pool context: where connections go.
type Server = trivial.Server

// Bare is a connection in a pool of the bare core.
type Bare struct{ Trivial *trivial.Conn }

// DialBare connects.
func DialBare(ctx context.Context, s *Server) (*Bare, error) {
	conn, err := s.Dial(ctx)
	return &Bare{conn}, err
}

// BareFixed is a connection in a pool of the bare core whose size is a constant.
type BareFixed struct{ Trivial *trivial.Conn }

// DialBareFixed connects.
func DialBareFixed(ctx context.Context, s *Server) (*BareFixed, error) {
	conn, err := s.Dial(ctx)
	return &BareFixed{conn}, err
}

// Default is a connection in a pool of the default set.
type Default struct{ Trivial *trivial.Conn }

// DialDefault connects.
func DialDefault(ctx context.Context, s *Server) (*Default, error) {
	conn, err := s.Dial(ctx)
	return &Default{conn}, err
}

// DefaultFixed is a connection in a pool of the default set whose size is a constant.
type DefaultFixed struct{ Trivial *trivial.Conn }

// DialDefaultFixed connects.
func DialDefaultFixed(ctx context.Context, s *Server) (*DefaultFixed, error) {
	conn, err := s.Dial(ctx)
	return &DefaultFixed{conn}, err
}

// Barging is a connection in a pool of the default set that lets requesters go before those who wait.
type Barging struct{ Trivial *trivial.Conn }

// DialBarging connects.
func DialBarging(ctx context.Context, s *Server) (*Barging, error) {
	conn, err := s.Dial(ctx)
	return &Barging{conn}, err
}

// All is a connection in a pool that has everything.
type All struct{ Trivial *trivial.Conn }

// DialAll connects.
func DialAll(ctx context.Context, s *Server) (*All, error) {
	conn, err := s.Dial(ctx)
	return &All{conn}, err
}

// AllFixed is a connection in a pool that has everything and whose size is a constant.
type AllFixed struct{ Trivial *trivial.Conn }

// DialAllFixed connects.
func DialAllFixed(ctx context.Context, s *Server) (*AllFixed, error) {
	conn, err := s.Dial(ctx)
	return &AllFixed{conn}, err
}

// Needs is a connection in a pool of the default set, with a trivial answer to whether its health check is due.
type Needs struct {
	Trivial *trivial.Conn
	uses    int
}

// DialNeeds connects.
func DialNeeds(ctx context.Context, s *Server) (*Needs, error) {
	conn, err := s.Dial(ctx)
	return &Needs{Trivial: conn}, err
}

// NeedsHealthCheck is never true here, but the compiler can't know that. It can't panic either, which poolgen does
// know.
func (c *Needs) NeedsHealthCheck() bool { return c.uses < 0 }

// HealthCheck is never called here.
func (c *Needs) HealthCheck() error { return c.Trivial.Try() }

// Checked is a connection in a pool of the default set that checks it before every lease.
type Checked struct{ Trivial *trivial.Conn }

// DialChecked connects.
func DialChecked(ctx context.Context, s *Server) (*Checked, error) {
	conn, err := s.Dial(ctx)
	return &Checked{conn}, err
}

// HealthCheck finds out whether the connection is dead.
func (c *Checked) HealthCheck() error { return c.Trivial.Try() }

// Package rodpage pools the pages of a headless browser. Browser.Page takes what to open, too.
package rodpage

import (
	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/proto"
)

//go:generate go tool poolgen -type=rod.Page

func newPage(b *rod.Browser) (*rod.Page, error) { return b.Page(proto.TargetCreateTarget{}) }

func resetPage(p *rod.Page) error { return p.Navigate("about:blank") }

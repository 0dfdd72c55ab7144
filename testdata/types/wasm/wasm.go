// Package wasm pools instances of a WebAssembly module. A module is instantiated from three values, and nameless so
// that there can be many.
package wasm

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

//go:generate go tool poolgen -type=api.Module

type program struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

func newModule(ctx context.Context, p program) (api.Module, error) {
	return p.runtime.InstantiateModule(ctx, p.compiled, wazero.NewModuleConfig().WithName(""))
}

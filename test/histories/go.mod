module github.com/poolgen/poolgen/test/histories

go 1.25.0

tool github.com/poolgen/poolgen/cmd/poolgen

replace github.com/poolgen/poolgen => ../..

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/stretchr/testify v1.11.1
	pgregory.net/rapid v1.3.0
)

require (
	github.com/dave/jennifer v1.7.1 // indirect
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/poolgen/poolgen v0.0.0-00010101000000-000000000000 // indirect
	github.com/rogpeppe/go-internal v1.14.1 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

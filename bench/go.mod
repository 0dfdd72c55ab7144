module github.com/poolgen/poolgen/bench

go 1.25.0

tool github.com/poolgen/poolgen/cmd/poolgen

require (
	github.com/poolgen/poolgen v0.0.0
	github.com/stretchr/testify v1.11.1
)

require (
	github.com/dave/jennifer v1.7.1 // indirect
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/rogpeppe/go-internal v1.14.1 // indirect
	golang.org/x/mod v0.38.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/tools v0.48.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace github.com/poolgen/poolgen => ../

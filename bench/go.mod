module github.com/poolgen/poolgen/bench

go 1.25.0

tool github.com/poolgen/poolgen/cmd/poolgen

require (
	github.com/dave/jennifer v1.7.1 // indirect
	github.com/poolgen/poolgen v0.0.0 // indirect
	github.com/rogpeppe/go-internal v1.14.1 // indirect
	golang.org/x/mod v0.38.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/tools v0.48.0 // indirect
)

replace github.com/poolgen/poolgen => ../

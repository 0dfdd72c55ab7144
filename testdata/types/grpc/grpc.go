// Package grpc pools gRPC connections. NewClient needs options, and there is no method that tells whether a
// connection works.
package grpc

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
)

//go:generate go tool poolgen -type=grpc.ClientConn

type server struct {
	target      string
	credentials credentials.TransportCredentials
}

func newClientConn(s server) (*grpc.ClientConn, error) {
	return grpc.NewClient(s.target, grpc.WithTransportCredentials(s.credentials))
}

func brokenClientConn(c *grpc.ClientConn) bool { return c.GetState() == connectivity.TransientFailure }

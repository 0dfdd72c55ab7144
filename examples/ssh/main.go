// Ssh runs commands on a server, many at a time over a few connections of a generated pool.
//
//	go run ./examples/ssh 'uname -a' uptime 'df -h /'
package main

//go:generate go tool poolgen -type=Conn

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

func main() {
	addr := flag.String("addr", cmp.Or(os.Getenv("POOLGEN_SSH"), "localhost:22"), "host and port")
	user := flag.String("user", cmp.Or(os.Getenv("POOLGEN_SSH_USER"), os.Getenv("USER")), "who logs in")
	key := flag.String("key", os.Getenv("POOLGEN_SSH_KEY"), "file with the user's private key")
	host := flag.String("host-key", os.Getenv("POOLGEN_SSH_HOST_KEY"), "file with the server's public key")
	size := flag.Int("size", 4, "how many connections at the most")
	flag.Parse()
	cfg, err := configure(*addr, *user, *key, *host)
	if err == nil {
		err = run(os.Stdout, cfg, *size, flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ssh:", err)
		os.Exit(1)
	}
}

// configure reads the keys. The server has to have exactly the one in hostFile.
func configure(addr, user, keyFile, hostFile string) (*Config, error) {
	private, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	public, err := os.ReadFile(hostFile)
	if err != nil {
		return nil, fmt.Errorf("-host-key: %w", err)
	}
	host, _, _, _, err := ssh.ParseAuthorizedKey(public)
	if err != nil {
		return nil, fmt.Errorf("-host-key: %w", err)
	}
	return &Config{Addr: addr, CheckAfter: time.Second, Client: &ssh.ClientConfig{
		User:              user,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback:   ssh.FixedHostKey(host),
		HostKeyAlgorithms: []string{host.Type()}, // else the server may show another of its keys
	}}, nil
}

// run runs all commands at the same time, as far as there are connections, and prints what each says.
func run(w io.Writer, cfg *Config, size int, commands []string) error {
	pool, err := NewConnPool(cfg, ConnPoolOptions{MaxSize: size, CreateTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	outputs, errs := make([][]byte, len(commands)), make([]error, len(commands))
	var running sync.WaitGroup
	for i, command := range commands {
		running.Go(func() { outputs[i], errs[i] = execute(ctx, pool, command) })
	}
	running.Wait()
	for i, command := range commands {
		fmt.Fprintf(w, "$ %s\n%s", command, outputs[i])
	}
	return errors.Join(append(errs, pool.Close(ctx))...)
}

// execute runs a command on a connection of the pool.
func execute(ctx context.Context, pool *ConnPool, command string) ([]byte, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	return conn.Run(ctx, command)
}

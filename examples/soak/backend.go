package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/poolgen/poolgen/examples/internal/servers"
)

// backend is a server, and what the soak asks it directly, over connections that are none of a pool.
type backend struct {
	*servers.Server
	proxy *servers.Proxy
	dial  func(ctx context.Context, addr string) (wire, error)
	cut   func(ctx context.Context, addr string) error        // ends one connection of a pool
	count func(ctx context.Context, addr string) (int, error) // those that pools have
	pools []*pool                                             // that use it
}

// findBackends finds the servers, and puts a proxy before each.
func findBackends() ([]*backend, error) {
	all := []*backend{
		{Server: &servers.Server{Name: "postgres"}, dial: dialPostgres, cut: cutPostgres, count: countPostgres},
		{Server: &servers.Server{Name: "redis"}, dial: dialRedis, cut: cutRedis, count: countRedis},
	}
	for _, b := range all {
		var err error
		if b.Server, err = servers.Find(b.Name, "."); err != nil {
			return nil, err
		}
		if b.proxy, err = servers.NewProxy(b.Name, b.TCP); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// probe asks the server something.
func (b *backend) probe(ctx context.Context) error {
	_, err := b.count(ctx, b.TCP)
	return err
}

// pooled is where PostgreSQL has the connections of the pools.
const pooled = "FROM pg_stat_activity WHERE application_name = '" + application + "'"

func countPostgres(ctx context.Context, addr string) (int, error) {
	return askPostgres(ctx, addr, "SELECT count(*) "+pooled)
}

func cutPostgres(ctx context.Context, addr string) error {
	_, err := askPostgres(ctx, addr, "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid "+pooled+" ORDER BY random() LIMIT 1) one")
	return err
}

func askPostgres(ctx context.Context, addr, query string) (n int, err error) {
	w, err := connectPostgres(ctx, addr, application+"-aside")
	if err != nil {
		return 0, err
	}
	defer w.close(ctx)
	err = w.conn.QueryRow(ctx, query).Scan(&n)
	return n, err
}

func countRedis(ctx context.Context, addr string) (int, error) {
	w, err := connectRedis(ctx, addr)
	if err != nil {
		return 0, err
	}
	defer w.close(ctx)
	ids, err := clients(ctx, w)
	return len(ids), err
}

func cutRedis(ctx context.Context, addr string) error {
	w, err := connectRedis(ctx, addr)
	if err != nil {
		return err
	}
	defer w.close(ctx)
	ids, err := clients(ctx, w)
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = w.do(ctx, "CLIENT", "KILL", "ID", ids[rand.IntN(len(ids))])
	if err != nil && strings.Contains(err.Error(), "No such client") { // it has just gone
		return nil
	}
	return err
}

// clients returns the ids of the server's clients, without those who ask for that.
func clients(ctx context.Context, w *redisWire) (ids []string, err error) {
	list, err := w.do(ctx, "CLIENT", "LIST")
	for line := range strings.Lines(list) {
		var id string
		if _, err := fmt.Sscanf(line, "id=%s", &id); err == nil && !strings.Contains(line, "cmd=client") {
			ids = append(ids, id)
		}
	}
	return ids, err
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/poolgen/poolgen/examples/internal/faults"
)

func TestEachRecipientGetsAMail(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out, faults.Find(t, "smtp").Address, 2, "me@poolgen.test", "Grüße", "hello", []string{"a@poolgen.test", "b@poolgen.test", "c@poolgen.test"}))
	require.Equal(t, "a@poolgen.test: for a@poolgen.test\nb@poolgen.test: for b@poolgen.test\nc@poolgen.test: for c@poolgen.test\n", out.String())
}

func TestAMailThatWasBegunDoesNotAffectTheNext(t *testing.T) {
	pool, err := NewConnPool(&Config{Addr: faults.Find(t, "smtp").Address, Hello: "localhost", CheckAfter: time.Second}, ConnPoolOptions{MaxSize: 1})
	require.NoError(t, err)
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	require.NoError(t, conn.Mail("begun@poolgen.test"))
	require.NoError(t, conn.Rcpt("left@poolgen.test"))
	conn.Release()
	receipt, err := send(t.Context(), pool, compose("next@poolgen.test", "right@poolgen.test", "", "text"))
	require.NoError(t, err)
	require.Equal(t, "for right@poolgen.test", receipt)
	require.EqualValues(t, 1, pool.Stats().Created)
	require.NoError(t, pool.Close(t.Context()))
}

func TestThePoolSurvivesItsServer(t *testing.T) {
	faults.Test(t, faults.Forks(t, faults.Subject{
		Server: "smtp", Requesters: 8, Patience: time.Second,
		Open: open, Probe: faults.Greeted,
	}))
	requireMailsAreWhole(t)
}

func open(t testing.TB, addr string) faults.Pool {
	pool, err := NewConnPool(&Config{Addr: addr, Hello: "localhost", CheckAfter: 100 * time.Millisecond},
		ConnPoolOptions{MaxSize: 4, CreateTimeout: 400 * time.Millisecond, HealthCheckTimeout: 300 * time.Millisecond})
	require.NoError(t, err)
	return tested{pool}
}

// tested is a pool as the faults use it: each request is a mail, and its id is in the addresses, which the server repeats in its
// answer.
type tested struct{ *ConnPool }

func (p tested) Ask(ctx context.Context, id int64) (answer int64, err error) {
	name := fmt.Sprintf("id-%d@poolgen.test", id)
	receipt, err := send(ctx, p.ConnPool, compose(name, name, name, "text"))
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscanf(receipt, "for id-%d@poolgen.test", &answer)
	return answer, err
}

// requireMailsAreWhole looks at all that the server has delivered: sender and recipient of a mail, as the server
// was told them, are those of its header.
func requireMailsAreWhole(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("POOLGEN_SMTP_MAIL"), "new", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		m, err := mail.ReadMessage(bytes.NewReader(text))
		require.NoError(t, err)
		require.Equal(t, m.Header.Get("From"), m.Header.Get("Return-Path"))
		require.Equal(t, m.Header.Get("To"), "<"+m.Header.Get("Envelope-To")+">")
	}
}

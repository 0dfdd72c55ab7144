// Smtp sends a mail to each of many recipients, over a few connections of a generated pool.
//
//	echo hello | go run ./examples/smtp -from=me@example.org -subject=Greetings you@example.org them@example.org
package main

//go:generate go tool poolgen -type=Conn

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	addr := flag.String("addr", cmp.Or(os.Getenv("POOLGEN_SMTP"), "localhost:25"), "host and port of the server; by default what POOLGEN_SMTP says")
	from := flag.String("from", "me@localhost", "the sender")
	subject := flag.String("subject", "", "of all mails")
	size := flag.Int("size", 4, "how many connections at the most")
	flag.Parse()
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = run(os.Stdout, *addr, *size, *from, *subject, string(text), flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "smtp:", err)
		os.Exit(1)
	}
}

// run sends everybody a mail of their own, as many at a time as there are connections, and prints the receipts.
func run(w io.Writer, addr string, size int, from, subject, text string, recipients []string) error {
	cfg := &Config{Addr: addr, Hello: "localhost", CheckAfter: 5 * time.Second}
	pool, err := NewConnPool(cfg, ConnPoolOptions{MaxSize: size, CreateTimeout: 10 * time.Second})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	receipts, errs := make([]string, len(recipients)), make([]error, len(recipients))
	var running sync.WaitGroup
	for i, to := range recipients {
		running.Go(func() { receipts[i], errs[i] = send(ctx, pool, compose(from, to, subject, text)) })
	}
	running.Wait()
	for i, to := range recipients {
		if errs[i] == nil {
			fmt.Fprintf(w, "%s: %s\n", to, receipts[i])
		}
	}
	return errors.Join(append(errs, pool.Close(ctx))...)
}

// compose puts a mail together.
func compose(from, to, subject, text string) Mail {
	header := fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
		from, to, mime.QEncoding.Encode("utf-8", subject), time.Now().Format(time.RFC1123Z))
	return Mail{From: from, To: []string{to}, Data: []byte(header + strings.TrimSpace(text) + "\r\n")}
}

// send sends a mail on a connection of the pool.
func send(ctx context.Context, pool *ConnPool, m Mail) (string, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	return conn.Send(ctx, m)
}

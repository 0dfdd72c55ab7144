package peers

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/poolgen/poolgen/bench/trivial"
)

// netConn is a trivial connection for clients that want a net.Conn: whatever is written to it is answered at once,
// by the writer; if there is no answer, it hangs up.
type netConn struct {
	net.Conn // nil: what is not defined below is not called
	conn     *trivial.Conn
	answer   func(id int, request []byte) []byte

	mu      sync.Mutex
	change  sync.Cond
	replies bytes.Buffer
	closed  bool
}

// dialNet is what clients dial with.
func dialNet(server *trivial.Server, answer func(id int, request []byte) []byte) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := server.Dial(ctx)
		if err != nil {
			return nil, err
		}
		c := &netConn{conn: conn, answer: answer}
		c.change.L = &c.mu
		return c, nil
	}
}

func (c *netConn) Write(request []byte) (int, error) {
	if err := c.conn.Try(); err != nil {
		_ = c.Close() // so that its reader ends as well
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	reply := c.answer(c.conn.ID, request)
	c.closed = len(reply) == 0
	c.replies.Write(reply)
	c.change.Broadcast()
	return len(request), nil
}

func (c *netConn) Read(reply []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.replies.Len() == 0 {
		if c.closed {
			return 0, io.EOF
		}
		c.change.Wait()
	}
	return c.replies.Read(reply)
}

func (c *netConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.change.Broadcast()
	return nil
}

func (c *netConn) SetDeadline(time.Time) error      { return nil }
func (c *netConn) SetReadDeadline(time.Time) error  { return nil }
func (c *netConn) SetWriteDeadline(time.Time) error { return nil }
func (c *netConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *netConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// AnswerRedis speaks enough of the Redis protocol for a client: ID is the connection's.
func AnswerRedis(id int, request []byte) (reply []byte) {
	for len(request) > 0 {
		var words int
		words, request = redisNumber(request)
		name := ""
		for i := range words {
			var size int
			size, request = redisNumber(request)
			if i == 0 {
				name = string(request[:size])
			}
			request = request[size+2:]
		}
		switch name {
		case "ID":
			reply = strconv.AppendInt(append(reply, ':'), int64(id), 10)
			reply = append(reply, "\r\n"...)
		case "hello", "HELLO":
			reply = append(reply, "-ERR unknown command\r\n"...)
		default:
			reply = append(reply, "+OK\r\n"...)
		}
	}
	return reply
}

// redisNumber reads a line such as *2 or $4.
func redisNumber(request []byte) (int, []byte) {
	line, rest, _ := bytes.Cut(request, []byte("\r\n"))
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil {
		panic(fmt.Sprintf("not a number: %q", line))
	}
	return n, rest
}

// AnswerPostgres speaks enough of the PostgreSQL protocol for a client to connect and to ping. It has no answer, which
// hangs up, to a client that says goodbye or, on a connection just for that, wants a command to be cancelled.
func AnswerPostgres(_ int, request []byte) (reply []byte) {
	const startup, cancel = 196608, 80877102
	message := func(kind byte, body ...byte) {
		reply = append(binary.BigEndian.AppendUint32(append(reply, kind), uint32(4+len(body))), body...)
	}
	if len(request) >= 8 && binary.BigEndian.Uint32(request[4:]) == cancel {
		return nil
	}
	if len(request) >= 8 && binary.BigEndian.Uint32(request[4:]) == startup {
		message('R', 0, 0, 0, 0)             // authenticated
		message('K', 0, 0, 0, 0, 0, 0, 0, 0) // the key to cancel with
		message('Z', 'I')                    // ready, idle
		return reply
	}
	for len(request) >= 5 {
		if request[0] == 'Q' {
			message('I') // an empty query
			message('Z', 'I')
		}
		request = request[1+binary.BigEndian.Uint32(request[1:]):]
	}
	return reply
}

package driver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"testing"
	"time"
)

// What our nodes answer otherwise than groupcache-go, on purpose. The key is the request's line; an empty reply of
// groupcache-go is a panic that closes the connection.
var betterReplies = map[string]struct{ status, why string }{
	"GET /_groupcache/nogroup/k":              {"500", "an unknown group is an answer, not a panic: the asker loads for itself"},
	"PUT /_groupcache/nogroup/k":              {"500", "the same"},
	"DELETE /_groupcache/nogroup/k":           {"500", "the same"},
	"POST /_groupcache/nogroup/_remove-keys/": {"500", "the same"},
	"GET /_groupcache/g/.":                    {"200", "a raw . is the key ., where the Go mux redirects"},
	"GET /_groupcache/g/..":                   {"200", "a raw .. is the key .."},
	"GET /_groupcache/g/a/../b":               {"200", "a raw path is not cleaned"},
	"GET /_groupcache/g/a//b":                 {"200", "a raw path is not cleaned"},
}

// Go's server refuses this before its handlers see it, without a length; ours states one.
var statesItsLength = map[string]bool{"GET /_groupcache/g/%zz": true}

// Each request that was once sent to a real groupcache-go is sent again, and the reply compared with what came then: the
// status line, every header but Date, and the body, byte for byte. Additional headers that begin with "Cohort" and the
// order of headers are free. The real node has to answer exactly as it did.
func TestRepliesAreThoseOfTheVectors(t *testing.T) {
	type line struct{ Request, Reply string }
	all := vectors[line](t, "wire-server.jsonl")
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			n := start(t, mix{impl}, withFlags("-group", "g")).nodes[0]
			for _, v := range all {
				request := latin1(v.Request)
				got, err := exchange(n.peer, request)
				if err != nil {
					t.Errorf("%q: %v", request, err)
					continue
				}
				first, _, _ := strings.Cut(request, " HTTP/1.1")
				reply := parseReply(got)
				better, ok := betterReplies[first]
				switch {
				case n.ours() && ok:
					if !strings.HasPrefix(reply.status, "HTTP/1.1 "+better.status+" ") {
						t.Errorf("%s: %q, want %s: %s", first, got, better.status, better.why)
					}
				default:
					want := parseReply(latin1(v.Reply))
					if n.ours() && statesItsLength[first] {
						want.headers = append(want.headers, fmt.Sprintf("Content-Length: %d", len(want.body)))
						sort.Strings(want.headers)
					}
					if reply.String() != want.String() {
						t.Errorf("%s\n got: %v\nwant: %v", first, reply, want)
					}
				}
			}
		})
	}
}

// exchange sends bytes and reads until the other side closes.
func exchange(address, request string) (string, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		return "", err
	}
	reply, err := io.ReadAll(conn)
	return string(reply), err
}

// A reply as it is compared.
type wireReply struct {
	status  string
	headers []string
	body    string
}

func parseReply(text string) wireReply {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	// Go's protobuf puts a non-breaking space in its messages in some builds and a space in others, by design.
	if plain := strings.Replace(body, "proto:\u00a0", "proto: ", 1); plain != body {
		head = strings.Replace(head, fmt.Sprintf("Content-Length: %d", len(body)), fmt.Sprintf("Content-Length: %d", len(plain)), 1)
		body = plain
	}
	lines := strings.Split(head, "\r\n")
	r := wireReply{status: lines[0], body: body}
	for _, header := range lines[1:] {
		if !strings.HasPrefix(header, "Date:") && !strings.HasPrefix(header, "Cohort") {
			r.headers = append(r.headers, header)
		}
	}
	sort.Strings(r.headers)
	return r
}

func (r wireReply) String() string { return fmt.Sprintf("%q %q %q", r.status, r.headers, r.body) }

// A connection is the client's to close: Go's clients keep an idle one for 90 s, and do not send a PUT again that crossed
// the server's closing. So ours is still open after longer than servers usually wait.
func TestAnIdleConnectionIsTheClientsToClose(t *testing.T) {
	const idle = 7 * time.Second
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			n := start(t, mix{impl}).nodes[0]
			conn, err := net.Dial("tcp", n.peer)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			reader := bufio.NewReader(conn)
			for _, pause := range []time.Duration{idle, time.Millisecond} {
				if _, err := io.WriteString(conn, "GET /_groupcache/g/k HTTP/1.1\r\nHost: "+n.peer+"\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				reply, err := http.ReadResponse(reader, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, reply.Body); err != nil || reply.StatusCode != 200 || reply.Close {
					t.Fatalf("%v: %v, %v", n, reply, err)
				}
				_ = conn.SetReadDeadline(time.Now().Add(pause))
				if _, err := reader.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("%v: the idle connection brought %v within %v", n, err, pause)
				}
				_ = conn.SetReadDeadline(time.Time{})
			}
		})
	}
}

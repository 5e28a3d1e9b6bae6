package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// callLimit ends a control call that would otherwise hang a test.
const callLimit = 60 * time.Second

// longestInQuery is the size of the longest key that travels in a query.
const longestInQuery = 2_000

// Every call has a connection of its own, so that none meets one that the node is just closing.
var control = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// An Answer is what a node reports of one call on its group. Kind "control" means that the node itself did not answer.
type Answer struct {
	OK    bool
	V64   []byte
	Len   int
	ExpNs int64 `json:"exp_ns"`
	Err   string
	Kind  string
}

// String shows an answer in a message, shortened.
func (a Answer) String() string {
	if !a.OK {
		return fmt.Sprintf("error (%s) %.300q", a.Kind, a.Err)
	}
	if a.ExpNs != 0 {
		return fmt.Sprintf("%.80q (%d bytes, expires %s)", a.V64, len(a.V64), time.Unix(0, a.ExpNs).Format("15:04:05.000"))
	}
	return fmt.Sprintf("%.80q (%d bytes)", a.V64, len(a.V64))
}

// is says whether the answer is this value.
func (a Answer) is(value string) bool { return a.OK && string(a.V64) == value && a.Len == len(value) }

// get is Group.Get on the node.
func (n *Node) get(key string) Answer { return n.about("GET", "/get", key, "", nil) }

// getFor is Group.Get with a deadline.
func (n *Node) getFor(key string, timeout time.Duration) Answer {
	return n.about("GET", "/get", key, "timeout_ms="+strconv.FormatInt(timeout.Milliseconds(), 10), nil)
}

// getAndLeave begins a get whose caller hangs up when leave is called; `left` is closed when it has.
func (n *Node) getAndLeave(key string, left chan<- struct{}) (leave func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(left)
		req, err := http.NewRequestWithContext(ctx, "GET", "http://"+n.ctl+"/get?k64="+k64(key), nil)
		if err != nil {
			return
		}
		if res, err := control.Do(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	return cancel
}

// getMany gets every key, the node asking for many at once.
func (n *Node) getMany(keys []string) ([]Answer, error) {
	var answers []Answer
	if err := n.call("POST", "/getmany", packed(keys), &answers); err != nil {
		return nil, err
	}
	if len(answers) != len(keys) {
		return nil, fmt.Errorf("%v: %d answers to %d keys", n, len(answers), len(keys))
	}
	return answers, nil
}

// set is Group.Set; expire 0 = never.
func (n *Node) set(key, value string, expire time.Duration) Answer {
	query := ""
	if expire != 0 {
		query = "expire_ms=" + strconv.FormatInt(expire.Milliseconds(), 10)
	}
	return n.about("POST", "/set", key, query, []byte(value))
}

// remove is Group.Remove.
func (n *Node) remove(key string) Answer { return n.about("POST", "/remove", key, "", nil) }

// about makes a call on one key. A key that is too long for a query travels in the body.
func (n *Node) about(method, path, key, query string, value []byte) Answer {
	if len(key) > longestInQuery {
		body, _ := json.Marshal(map[string][]byte{"k64": []byte(key), "v64": append([]byte{}, value...)})
		return n.ask("POST", path+"?"+query, body)
	}
	return n.ask(method, path+"?k64="+k64(key)+"&"+query, value)
}

// removeKeys is Group.RemoveKeys.
func (n *Node) removeKeys(keys []string) Answer { return n.ask("POST", "/removekeys", packed(keys)) }

// owners is what the node's own ring says.
func (n *Node) owners(keys []string) ([]string, error) {
	var owners []string
	if err := n.call("POST", "/owners", packed(keys), &owners); err != nil {
		return nil, err
	}
	if len(owners) != len(keys) {
		return nil, fmt.Errorf("%v: %d owners of %d keys", n, len(owners), len(keys))
	}
	return owners, nil
}

// setPeers is SetPeers; self "" = the node's own address.
func (n *Node) setPeers(addresses []string, self string) Answer {
	body, _ := json.Marshal(addresses)
	path := "/peers"
	if self != "" {
		path += "?self=" + url.QueryEscape(self)
	}
	return n.ask("POST", path, body)
}

// loads is how often the node's own getter ran, by key.
func (n *Node) loads() (map[string]int64, error) { return n.readLoads("/loads") }

// loadsOf is how often the node's own getter ran for one key.
func (n *Node) loadsOf(key string) (int64, error) {
	path := "/loads"
	if len(key) <= longestInQuery {
		path += "?k64=" + k64(key)
	}
	loads, err := n.readLoads(path)
	return loads[key], err
}

func (n *Node) readLoads(path string) (map[string]int64, error) {
	var encoded map[string]int64
	if err := n.call("GET", path, nil, &encoded); err != nil {
		return nil, err
	}
	loads := make(map[string]int64, len(encoded))
	for k, count := range encoded {
		key, err := unbase64(k)
		if err != nil {
			return nil, fmt.Errorf("%v: %s: %w", n, path, err)
		}
		loads[key] = count
	}
	return loads, nil
}

// stats are the node's counters.
func (n *Node) stats() (map[string]int64, error) {
	var stats map[string]int64
	err := n.call("GET", "/stats", nil, &stats)
	return stats, err
}

// ask makes a call that is answered with an Answer.
func (n *Node) ask(method, path string, body []byte) Answer {
	var a Answer
	if err := n.call(method, path, body, &a); err != nil {
		return Answer{Kind: "control", Err: err.Error()}
	}
	return a
}

// call is one request of the control protocol.
func (n *Node) call(method, path string, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+n.ctl+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := control.Do(req)
	if err != nil {
		return fmt.Errorf("%v: %w", n, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("%v: %s %s: %w", n, method, path, err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%v: %s %s: %s: %s", n, method, path, res.Status, text)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%v: %s %s: %w: %.200s", n, method, path, err, text)
	}
	return nil
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// node is one member: a process of its own, driven over its control port.
type node struct {
	language string
	binary   string
	peer     string
	ctl      string
	args     []string
	process  *exec.Cmd
	log      string
	latency  []int64 // microseconds of each get, as the node measured them
}

var client = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
}

// newNodes gives each binary two free ports.
func newNodes(binaries []string, database, statement, logs string) ([]*node, error) {
	languages := map[string]string{"node-cpp": "C++", "node-c": "C", "node-go": "Go", "node-java": "Java",
		"node-python": "Python", "node-rust": "Rust", "node-groupcache-go": "groupcache-go"}
	var nodes []*node
	var peers []string
	for _, binary := range binaries {
		n := &node{binary: binary, language: languages[filepath.Base(binary)]}
		for _, address := range []*string{&n.peer, &n.ctl} {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			defer listener.Close() // all at the end, so that no port is given twice
			*address = listener.Addr().String()
		}
		n.log = filepath.Join(logs, filepath.Base(binary)+".log")
		nodes = append(nodes, n)
		peers = append(peers, n.peer)
	}
	for _, n := range nodes {
		n.args = []string{"-listen", n.peer, "-ctl", n.ctl, "-peers", strings.Join(peers, ","), "-db", database,
			"-sql", statement}
		if strings.HasSuffix(filepath.Base(n.binary), "go") { // one program, built twice
			n.args = append(n.args, "-name", n.language)
		}
	}
	return nodes, nil
}

// start runs the process and waits until it answers.
func (n *node) start() error {
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	n.process = exec.Command(n.binary, n.args...)
	n.process.Stdout, n.process.Stderr = log, log
	n.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no node outlives the driver, however that ends
	if err := n.process.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	process := n.process
	go func() { exited <- process.Wait() }()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if _, err := n.call("GET", "/ping", nil); err == nil {
			return nil
		}
		select {
		case err := <-exited:
			text, _ := os.ReadFile(n.log)
			return fmt.Errorf("the %s node ended (%v): %s", n.language, err, text)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("the %s node does not answer on %s", n.language, n.ctl)
}

func (n *node) kill() {
	if n.process != nil {
		n.process.Process.Signal(syscall.SIGKILL)
		for { // until the port is free again
			connection, err := net.Dial("tcp", n.ctl)
			if err != nil {
				return
			}
			connection.Close()
		}
	}
}

type reply struct {
	status int
	body   []byte
	getUs  int64
}

func (n *node) call(method, path string, body []byte) (reply, error) {
	request, err := http.NewRequest(method, "http://"+n.ctl+path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	us, _ := strconv.ParseInt(response.Header.Get("Get-Us"), 10, 64)
	return reply{response.StatusCode, text, us}, err
}

func (n *node) get(key string) (reply, error) {
	answer, err := n.call("GET", "/get?key="+url.QueryEscape(key), nil)
	if err == nil && answer.status != http.StatusOK {
		err = fmt.Errorf("the %s node answered %d for %s: %s", n.language, answer.status, key, answer.body)
	}
	return answer, err
}

func (n *node) set(key, value string, expireMs int) error {
	path := fmt.Sprintf("/set?key=%s&expire_ms=%d", url.QueryEscape(key), expireMs)
	return n.acknowledged(n.call("PUT", path, []byte(value)))
}

func (n *node) remove(key string) error {
	return n.acknowledged(n.call("POST", "/remove?key="+url.QueryEscape(key), nil))
}

func (n *node) acknowledged(answer reply, err error) error {
	if err == nil && answer.status != http.StatusOK {
		err = fmt.Errorf("the %s node answered %d: %s", n.language, answer.status, answer.body)
	}
	return err
}

type stats struct {
	Gets, Hits, Loads, Queries int64
	FromPeers                  int64 `json:"from_peers"`
}

func (n *node) stats() (s stats, err error) {
	answer, err := n.call("GET", "/stats", nil)
	if err == nil {
		err = json.Unmarshal(answer.body, &s)
	}
	return s, err
}

// loads tells how often this node's getter ran, by key.
func (n *node) loads() (map[string]int, error) {
	answer, err := n.call("GET", "/loads", nil)
	counts := map[string]int{}
	for _, key := range strings.Fields(string(answer.body)) {
		counts[key]++
	}
	return counts, err
}

func (n *node) owner(key string) (string, error) {
	answer, err := n.call("GET", "/owner?key="+url.QueryEscape(key), nil)
	return string(answer.body), err
}

package driver

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startLimit is how long a node may take until it answers its first ping (a virtual machine may have to warm up).
const startLimit = 30 * time.Second

// reference is the implementation that is not ours: the real groupcache-go v3.
const reference = "groupcache-go"

// A Node is one conformance node: a process, the address at which peers reach it, and the address that drives it.
type Node struct {
	impl  string
	name  string
	peer  string
	ctl   string
	flags []string

	t       testing.TB
	log     string // the file that takes the process's output
	cmd     *exec.Cmd
	exited  chan struct{}
	mu      sync.Mutex
	killing bool
}

// ours says whether the node is one of this project's.
func (n *Node) ours() bool { return n.impl != reference }

// String is how a node appears in messages: "n2 (cpp)".
func (n *Node) String() string { return n.name + " (" + n.impl + ")" }

// launch starts the process and returns at once. The test's cleanup kills it.
func (n *Node) launch() error {
	out, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	args := append([]string{"-listen", n.peer, "-ctl", n.ctl, "-name", n.name}, n.flags...)
	cmd := exec.Command(filepath.Join(nodesDir(), "node-"+n.impl), args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	n.mu.Lock()
	n.cmd, n.exited, n.killing = cmd, exited, false
	n.mu.Unlock()
	go func() {
		err := cmd.Wait()
		n.mu.Lock()
		expected := n.killing
		n.mu.Unlock()
		if !expected {
			fmt.Fprintf(os.Stderr, "%v ended by itself: %v\n", n, err)
		}
		close(exited)
	}()
	return nil
}

// awaitPing waits until the node answers; an early end of the process is an error.
func (n *Node) awaitPing() error {
	deadline := time.Now().Add(startLimit)
	for {
		var pong struct{ Name, Peer, Impl string }
		err := n.call("GET", "/ping", nil, &pong)
		if err == nil {
			if pong.Name != n.name || pong.Peer != n.peer || pong.Impl != n.impl {
				return fmt.Errorf("%v: ping answers %+v", n, pong)
			}
			return nil
		}
		select {
		case <-n.exited:
			return fmt.Errorf("%v ended before it answered:\n%s", n, n.logTail())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%v does not answer after %v: %w\n%s", n, startLimit, err, n.logTail())
		}
	}
}

// kill ends the process as a power cut would and waits for its end.
func (n *Node) kill() {
	n.mu.Lock()
	n.killing = true
	cmd, exited := n.cmd, n.exited
	n.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill()
	<-exited
}

// died says whether the process ended although nobody killed it.
func (n *Node) died() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.exited:
		return !n.killing
	default:
		return false
	}
}

// complaint is what a sanitizer, the race detector or a panic wrote into the log of one of our nodes; empty if nothing.
func (n *Node) complaint() string {
	text, err := os.ReadFile(n.log)
	if err != nil || !n.ours() {
		return ""
	}
	for _, mark := range []string{"ThreadSanitizer", "AddressSanitizer", "runtime error: ", "DATA RACE", "panic: ", "panic serving"} {
		if i := bytes.Index(text, []byte(mark)); i >= 0 {
			const shown = 6_000
			return string(text[max(0, i-100):min(len(text), i+shown)])
		}
	}
	return ""
}

// logTail is the end of what the process wrote.
func (n *Node) logTail() string {
	text, err := os.ReadFile(n.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	const keep = 25
	if len(lines) > keep {
		lines = lines[len(lines)-keep:]
	}
	for i, line := range lines {
		const width = 400
		if len(line) > width {
			lines[i] = append(line[:width:width], "..."...)
		}
	}
	return fmt.Sprintf("--- log of %v\n%s", n, bytes.Join(lines, []byte("\n")))
}

// freeAddress finds a loopback address to listen on. It is taken from below the range from which the system draws the
// ports of outgoing connections, so that none of those can sit on it before the node binds it.
func freeAddress() (string, error) {
	const low, high = 10_000, 32_000
	var last error
	for range 200 {
		address := fmt.Sprintf("127.0.0.1:%d", low+rand.IntN(high-low))
		listener, err := net.Listen("tcp", address)
		if err == nil {
			_ = listener.Close()
			return address, nil
		}
		last = err
	}
	return "", fmt.Errorf("no free port: %w", last)
}

// nodesDir is the folder that holds the node programs.
func nodesDir() string {
	if dir := os.Getenv("INTEROP_NODES"); dir != "" {
		return dir
	}
	return "../../../build/interop"
}

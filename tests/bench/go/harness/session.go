// Package harness is what the Go programs of the benchmarks share: sessions, keys, and measuring. A program sets up what its
// flags say, prints a line of JSON when it is ready, and answers each line of its input with a line of JSON.
package harness

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
)

// Flags of every program; each subject uses some of them.
var (
	set      = flag.NewFlagSet("bench", flag.ExitOnError)
	Cache    = set.String("cache", "", "which cache")
	Entries  = set.Int("entries", 100_000, "entries of the cache")
	Size     = set.Int("size", 100, "bytes of a value, for fill")
	Listen   = set.String("listen", "", "this member's address")
	Peers    = set.String("peers", "", "every member's address, or how many there are")
	Owner    = set.String("owner", "", "whose keys to ask for")
	OwnerPid = set.Int("owner-pid", 0, "that member's process")
	Tuned    = set.Int("tuned", 0, "1: keep connections alive for every caller")
	Keep     = set.Int("keep", 0, "1: an asker keeps what it gets")
	Adaptive = set.Int("adaptive", 0, "1: Cohort's adaptive policy instead of LRU")
)

// Answer is what a question is answered with: numbers by name.
type Answer map[string]float64

// Words are a question's.
type Words []string

// Int is a word as a number.
func (w Words) Int(i int) int { return Must(strconv.Atoi(w[i])) }

// Float is a word as a number.
func (w Words) Float(i int) float64 { return Must(strconv.ParseFloat(w[i], 64)) }

// Must ends the program when there is an error.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Check ends the program when there is an error.
func Check(err error) {
	if err != nil {
		log.Fatalf("bench: %v", err)
	}
}

// Main runs the subject that the first argument names.
func Main(subjects map[string]func()) {
	log.SetFlags(0)
	if len(os.Args) < 2 || subjects[os.Args[1]] == nil {
		log.Fatal("usage: bench SUBJECT [-flag value]...")
	}
	Check(set.Parse(os.Args[2:]))
	subjects[os.Args[1]]()
}

// Serve says that the subject is ready and answers questions until the input ends.
func Serve(ready Answer, answer func(Words) Answer) {
	say := func(a Answer) {
		fmt.Println(string(Must(json.Marshal(a))))
	}
	if ready == nil {
		ready = Answer{}
	}
	say(ready)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		say(answer(strings.Fields(in.Text())))
	}
	os.Exit(0)
}

package groupcache_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The shared list of behaviours as JSON: tests/behaviours/README.md describes the form.

type behaviours struct {
	Cases []behaviour `json:"cases"`
}

type behaviour struct {
	Name          string `json:"name"`
	Nodes         int    `json:"nodes"`
	CacheBytes    *int64 `json:"cache_bytes"`
	LoadTimeoutMs int64  `json:"load_timeout_ms"`
	NoGetterOn    []int  `json:"no_getter_on"`
	FailsAt       int    `json:"fails_at"`
	Steps         []step `json:"steps"`
}

type step struct {
	Do         string            `json:"do"`
	Node       *int              `json:"node"`
	Group      string            `json:"group"`
	As         string            `json:"as"`
	Key        json.RawMessage   `json:"key"`
	Keys       []json.RawMessage `json:"keys"`
	Value      json.RawMessage   `json:"value"`
	Name       json.RawMessage   `json:"name"`
	ExpireMs   *int64            `json:"expire_ms"`
	TimeoutMs  int64             `json:"timeout_ms"`
	Scribble   bool              `json:"scribble"`
	Count      *int64            `json:"count"`
	Field      string            `json:"field"`
	AtLeast    *int64            `json:"at_least"`
	CacheBytes int64             `json:"cache_bytes"`
	Peers      []int             `json:"peers"`
	Owner      int               `json:"owner"`
	Prefix     string            `json:"prefix"`
	Expect     json.RawMessage   `json:"expect"`
	ExpectAll  json.RawMessage   `json:"expect_all"`
}

type expectation struct {
	Value           json.RawMessage   `json:"value"`
	ValueSize       *int              `json:"value_size"`
	Miss            bool              `json:"miss"`
	OK              bool              `json:"ok"`
	Error           string            `json:"error"`
	AnyOf           []json.RawMessage `json:"any_of"`
	ExpiresInMs     *int64            `json:"expires_in_ms"`
	Message         json.RawMessage   `json:"message"`
	MessageContains json.RawMessage   `json:"message_contains"`
}

// readBehaviours reads a list. It lies in the repository, not in the module.
func readBehaviours(t *testing.T, name string) []behaviour {
	t.Helper()
	text, err := os.ReadFile("../../tests/behaviours/" + name)
	if os.IsNotExist(err) {
		t.Skip("the list of behaviours is in the repository only")
	}
	require.NoError(t, err)
	var all behaviours
	require.NoError(t, json.Unmarshal(text, &all))
	require.NotEmpty(t, all.Cases)
	return all.Cases
}

// answer is how a call ended.
type answer struct {
	err     error
	miss    bool
	value   []byte
	expires *time.Time // nil: not shown
}

func (a answer) String() string {
	switch {
	case a.err != nil:
		return fmt.Sprintf("%s (%v)", kindOf(a.err), a.err)
	case a.miss:
		return "a miss"
	case len(a.value) > 80:
		return fmt.Sprintf("the value %q... of %d bytes", a.value[:80], len(a.value))
	}
	return fmt.Sprintf("the value %q", a.value)
}

// names are what a case has named so far.
type names struct {
	vars      map[string]string
	addresses []string
}

// bytesOf evaluates an expression for bytes.
func (n names) bytesOf(raw json.RawMessage) []byte {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	var form struct {
		Base64  *string           `json:"base64"`
		Repeat  json.RawMessage   `json:"repeat"`
		Count   int               `json:"count"`
		Concat  []json.RawMessage `json:"concat"`
		Var     string            `json:"var"`
		Address *int              `json:"address"`
	}
	must(json.Unmarshal(raw, &form))
	switch {
	case form.Base64 != nil:
		decoded, err := base64.StdEncoding.DecodeString(*form.Base64)
		must(err)
		return decoded
	case form.Repeat != nil:
		return bytes.Repeat(n.bytesOf(form.Repeat), form.Count)
	case form.Var != "":
		key, ok := n.vars[form.Var]
		if !ok {
			fail("no key was picked as %q", form.Var)
		}
		return []byte(key)
	case form.Address != nil:
		return []byte(n.addresses[*form.Address])
	}
	var all []byte
	for _, piece := range form.Concat {
		all = append(all, n.bytesOf(piece)...)
	}
	return all
}

// check fails if the answer is not as expected.
func (n names) check(expected json.RawMessage, a answer) {
	if wrong := n.mismatch(expected, a); wrong != "" {
		fail("%s", wrong)
	}
}

func (n names) mismatch(raw json.RawMessage, a answer) string {
	var e expectation
	must(json.Unmarshal(raw, &e))
	short := string(raw[:min(len(raw), 200)])
	switch {
	case e.AnyOf != nil:
		for _, each := range e.AnyOf {
			if n.mismatch(each, a) == "" {
				return ""
			}
		}
		return fmt.Sprintf("none of %s but %v", short, a)
	case e.Error != "":
		switch {
		case a.err == nil || kindOf(a.err) != e.Error:
			return fmt.Sprintf("%v instead of %s", a, short)
		case e.Message != nil && a.err.Error() != string(n.bytesOf(e.Message)):
			return fmt.Sprintf("%v instead of %s", a, short)
		case e.MessageContains != nil && !strings.Contains(a.err.Error(), string(n.bytesOf(e.MessageContains))):
			return fmt.Sprintf("%v does not contain what it should: %s", a, short)
		}
		return ""
	case a.err != nil, e.Miss != a.miss && !e.OK:
		return fmt.Sprintf("%v instead of %s", a, short)
	case e.OK, e.Miss:
		return ""
	case e.Value != nil && !bytes.Equal(a.value, n.bytesOf(e.Value)):
		return fmt.Sprintf("%v instead of %s", a, short)
	case e.ValueSize != nil && len(a.value) != *e.ValueSize:
		return fmt.Sprintf("%d bytes instead of %s", len(a.value), short)
	case e.ExpiresInMs != nil && a.expires != nil:
		in, left := time.Duration(*e.ExpiresInMs)*time.Millisecond, time.Until(*a.expires)
		if in == 0 != a.expires.IsZero() || in != 0 && (left < in/2 || left > in) {
			return fmt.Sprintf("it expires at %v, in %v, instead of in %v", *a.expires, left, in)
		}
	}
	return ""
}

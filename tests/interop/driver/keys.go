package driver

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// k64 is a key as a query carries it.
func k64(key string) string {
	return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(key)))
}

func unbase64(text string) (string, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	return string(key), err
}

// packed is a list of keys as a body carries it.
func packed(keys []string) []byte {
	raw := make([][]byte, len(keys))
	for i, key := range keys {
		raw[i] = []byte(key)
	}
	body, _ := json.Marshal(raw)
	return body
}

// manyKeys makes keys of the shapes that programs use.
func manyKeys(prefix string, count int) []string {
	shapes := []string{"%skey-%d", "%suser:%d:profile", "/%spath/%d/ü?x=y&z=%%2F", "%s\xff\xfe\x00%d-\x80", "%s 10.0.%d.1"}
	keys := make([]string, count)
	for i := range keys {
		keys[i] = fmt.Sprintf(shapes[i%len(shapes)], prefix, i)
	}
	return keys
}

// oddKeys are the keys that have a meaning to some layer on the way.
func oddKeys() map[string]string {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	keys := map[string]string{
		"empty":            "",
		"dot":              ".",
		"dot-dot":          "..",
		"every-byte":       string(every),
		"long-3KB":         strings.Repeat("k", 3_000),
		"long-3KB-binary":  strings.Repeat("\xff\x00\x80", 1_000),
		"long-9KB":         strings.Repeat("k", 9_000),
		"remove-keys-path": "_remove-keys/",
	}
	for _, key := range []string{
		" ", "a b", "a/b", "a//b", "/x", "x/", "/", "//", "...", "./a", "../a", "a/../b", "a/.", "%", "%2F", "%2f", "%zz",
		"%2E%2E", "+", "a+b", "?", "q?x=1", "#", "q#f", "&", "=", "$&+=:@~-_.", ";,!'()*", "\"<>\\^`{|}[]", "\t\r\n", "\x00",
		"\x7f", "ü", "日本", "\xff\xfe", "_cohort/", "_cohort/g", "_groupcache/g/k", "HTTP/1.1\r\nX: y",
	} {
		keys[fmt.Sprintf("%q", key)] = key
	}
	return keys
}

// The line "GET /_groupcache/g/<escaped> HTTP/1.1\r\n" that a key needs. Our nodes refuse one of more than lineLimit
// bytes, as cpp-httplib does; between our own nodes such a key travels in a body.
const lineLimit = 8192

func requestLine(method, key string) int {
	return len(method) + len(" /_groupcache/g/ HTTP/1.1\r\n") + len(url.PathEscape(key))
}

package driver

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What each call makes a node send to a groupcache-go peer, compared with what a real node sent: as many requests, the
// method, the target and the body, byte for byte (an expiry is a time of now: only its presence). Headers may differ, and
// do: groupcache-go sends User-Agent and Accept-Encoding, our nodes their own that begin with "Cohort". Two targets
// differ on purpose: our nodes escape the keys "." and "..", which groupcache-go cannot ask for.
func TestRequestsAreThoseOfTheVectors(t *testing.T) {
	type line struct {
		Call   string
		KeyHex string `json:"key_hex"`
		Result Answer
		Sent   []struct {
			Head    string
			BodyHex string `json:"body_hex"`
		}
	}
	all := vectors[line](t, "wire-client.jsonl")
	for _, impl := range implementations(t) {
		t.Run(impl, func(t *testing.T) {
			t.Parallel()
			n, peer := startBesideFake(t, impl, withValue("fake"))
			ring := newRing([]string{n.peer, peer.address}, 50)
			for _, v := range all {
				raw, err := hex.DecodeString(v.KeyHex)
				if err != nil || len(v.Sent) != 1 {
					t.Fatalf("vector %+v: %v", v, err)
				}
				owner := peer.address
				if strings.Contains(v.Call, "own key") {
					owner = n.peer
				}
				original := string(raw)
				key := ownedBy(ring, owner, original)
				var answer Answer
				switch call := strings.TrimSuffix(v.Call, " own key"); call {
				case "get":
					answer = n.get(key)
				case "set":
					answer = n.set(key, "value", 0)
				case "set expire":
					answer = n.set(key, "value", time.Hour)
				case "remove":
					answer = n.remove(key)
				case "removekeys":
					answer = n.removeKeys([]string{key})
				default:
					t.Fatalf("unknown call %q", v.Call)
				}
				if answer.OK != v.Result.OK || string(answer.V64) != string(v.Result.V64) {
					t.Errorf("%s %q: %v, want %v", v.Call, key, answer, v.Result)
				}
				sent := peer.take()
				if len(sent) != 1 {
					t.Errorf("%s %q: sent %d requests, want 1: %q", v.Call, key, len(sent), sent)
					continue
				}
				method, rest, _ := strings.Cut(v.Sent[0].Head, " ")
				target, _, _ := strings.Cut(rest, " ")
				target = strings.TrimSuffix(target, url.PathEscape(original)) // a no-op for remove-keys
				if !strings.HasSuffix(target, "_remove-keys/") {
					target += url.PathEscape(key)
				}
				if n.ours() && strings.Trim(key, ".") == "" {
					target = strings.ReplaceAll(target, ".", "%2E")
				}
				if sent[0].method != method || sent[0].target != target {
					t.Errorf("%s %q: sent %s %s, want %s %s", v.Call, key, sent[0].method, sent[0].target, method, target)
				}
				want, err := hex.DecodeString(v.Sent[0].BodyHex)
				if err != nil {
					t.Fatal(err)
				}
				wantBody(t, v.Call, original, key, string(want), sent[0].body)
			}
		})
	}
}

// wantBody compares a body with the one of the vectors, in which the key stands as it was there.
func wantBody(t *testing.T, call, original, key, vector, got string) {
	t.Helper()
	expire := int64(0)
	if strings.HasPrefix(call, "set expire") {
		expire = lastVarint(got)
		if left := time.Until(time.Unix(0, expire)); left < 59*time.Minute || left > time.Hour {
			t.Errorf("%s %q: expires in %v, want an hour; body %q", call, key, left, got)
		}
		if rebuilt := string(setRequest("g", original, "value", lastVarint(vector))); rebuilt != vector {
			t.Errorf("the driver encodes %q, the vector is %q", rebuilt, vector)
		}
		vector = string(setRequest("g", key, "value", expire))
	} else if strings.HasPrefix(call, "set") {
		if rebuilt := string(setRequest("g", original, "value", 0)); rebuilt != vector {
			t.Errorf("the driver encodes %q, the vector is %q", rebuilt, vector)
		}
		vector = string(setRequest("g", key, "value", 0))
	} else if strings.HasPrefix(call, "removekeys") {
		was, _ := json.Marshal(original)
		is, _ := json.Marshal(key)
		vector = strings.Replace(vector, string(was), string(is), 1)
	}
	if got != vector {
		t.Errorf("%s %q: body %q, want %q", call, key, got, vector)
	}
}

// lastVarint reads the varint at the end of a message: the bytes after the last tag of field 4.
func lastVarint(body string) int64 {
	if i := strings.LastIndex(body, "value \x20"); i >= 0 {
		body = body[i+6:]
	} else if i := strings.LastIndex(body, "value\x20"); i >= 0 {
		body = body[i+6:]
	}
	v, _ := binary.Uvarint([]byte(body))
	return int64(v)
}

// ownedBy is the key itself if the address owns it, else the key with something harmless before it.
func ownedBy(r *ring, address, key string) string {
	candidate := key
	for i := 0; r.owner(candidate) != address; i++ {
		sum := md5.Sum([]byte(strconv.Itoa(i)))
		candidate = hex.EncodeToString(sum[:])[:10] + key
	}
	return candidate
}

package driver

import "encoding/binary"

// The two messages of the protocol, written by hand so that the driver needs no library.

// getResponse is GetResponse{value, expire} as groupcache-go encodes it: expire always there.
func getResponse(value string, expire int64) []byte {
	return appendInt(appendBytes(nil, 1, value), 3, expire)
}

// setRequest is SetRequest{group, key, value, expire}; an empty value is there or not, as groupcache-go has it.
func setRequest(group, key, value string, expire int64) []byte {
	b := appendBytes(nil, 1, group)
	b = appendBytes(b, 2, key)
	b = appendBytes(b, 3, value)
	return appendInt(b, 4, expire)
}

func appendBytes(b []byte, field uint64, data string) []byte {
	b = binary.AppendUvarint(b, field<<3|2)
	b = binary.AppendUvarint(b, uint64(len(data)))
	return append(b, data...)
}

func appendInt(b []byte, field uint64, v int64) []byte {
	b = binary.AppendUvarint(b, field<<3)
	return binary.AppendUvarint(b, uint64(v))
}

// The fields of a protobuf message, written by hand: the messages that carry whole values are, so that these are copied
// once at most.
#pragma once

#include <google/protobuf/io/coded_stream.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cohort::wire {

using google::protobuf::io::CodedOutputStream;

// The wire types of a protobuf tag.
constexpr uint8_t kFieldVarint = 0;
constexpr uint8_t kFieldFixed64 = 1;
constexpr uint8_t kFieldBytes = 2;

// All fields here have numbers below 16, so that a tag is one byte.
constexpr size_t kMostTaggedBytes = 11;

// Writes a tag, and a number behind it; returns its end.
inline char* PutTagged(int field, uint8_t type, uint64_t varint, char* to) {
  *to++ = static_cast<char>((field << 3) | type);
  for (; varint >= 0x80; varint >>= 7) *to++ = static_cast<char>(varint | 0x80);
  *to++ = static_cast<char>(varint);
  return to;
}

inline void AppendTagged(int field, uint8_t type, uint64_t varint, std::string* out) {
  char bytes[kMostTaggedBytes];
  out->append(bytes, static_cast<size_t>(PutTagged(field, type, varint, bytes) - bytes));
}

inline void AppendInt(int field, int64_t value, std::string* out) {
  AppendTagged(field, kFieldVarint, static_cast<uint64_t>(value), out);
}

// What stands before so many bytes.
inline void AppendBytesHead(int field, size_t size, std::string* out) { AppendTagged(field, kFieldBytes, size, out); }

inline void AppendBytes(int field, std::string_view bytes, std::string* out) {
  AppendBytesHead(field, bytes.size(), out);
  out->append(bytes);
}

constexpr size_t kFixed64Bytes = 9;

inline void AppendFixed64(int field, uint64_t value, std::string* out) {
  uint8_t bytes[kFixed64Bytes];
  bytes[0] = static_cast<uint8_t>((field << 3) | kFieldFixed64);
  CodedOutputStream::WriteLittleEndian64ToArray(value, bytes + 1);
  out->append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

inline size_t VarintBytes(uint64_t value) { return CodedOutputStream::VarintSize64(value); }
inline size_t BytesBytes(size_t size) { return 1 + VarintBytes(size) + size; }
inline size_t IntBytes(int64_t value) { return 1 + VarintBytes(static_cast<uint64_t>(value)); }

}  // namespace cohort::wire

// Paths: what a groupcache-go node sends is what we send, and what it understands is what we understand.
#include "wire/path.h"

#include <gtest/gtest.h>

#include "wire/vectors.h"

namespace cohort::wire {
namespace {

constexpr char kBase[] = "/_groupcache/";

std::string EveryByte() {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  return all;
}

TEST(Path, KeysAreEscapedAsGroupcacheGoEscapesThem) {
  int compared = 0;
  for (const auto& line : ReadVectors("wire-client.jsonl")) {
    const std::string call = line["call"];
    if (call.find("removekeys") == 0) continue;
    const std::string key = BytesOfHex(line["key_hex"]);
    if (key == "." || key == "..") continue;  // See DotKeysAreSpelledOut.
    const std::string head = line["sent"][0]["head"];
    const std::string line_one = head.substr(0, head.find("\r\n"));
    const std::string method = line_one.substr(0, line_one.find(' '));
    EXPECT_EQ(line_one, method + " " + KeyPath(kBase, "g", key) + " HTTP/1.1");
    ++compared;
  }
  EXPECT_GT(compared, 40);
}

TEST(Path, OnlyLettersDigitsAndNineMarksStay) {
  const std::string escaped = PathEscape(EveryByte());
  std::string kept;
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '%') {
      i += 2;
    } else {
      kept.push_back(escaped[i]);
    }
  }
  EXPECT_EQ(kept, "$&+-.0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~");
}

TEST(Path, DotKeysAreSpelledOut) {
  EXPECT_EQ(KeyPath(kBase, "g", "."), "/_groupcache/g/%2E");
  EXPECT_EQ(KeyPath(kBase, "g", ".."), "/_groupcache/g/%2E%2E");
  EXPECT_EQ(KeyPath(kBase, "..", "a"), "/_groupcache/%2E%2E/a");
  EXPECT_EQ(PathEscape("..."), "...");
  EXPECT_EQ(PathEscape("a/../b"), "a%2F..%2Fb");
}

TEST(Path, EveryByteComesBack) {
  const std::string key = EveryByte();
  const SplitPath split = SplitTarget(kBase, KeyPath(kBase, "a group", key));
  EXPECT_EQ(split.kind, PathKind::kKey);
  EXPECT_EQ(split.group, "a group");
  EXPECT_EQ(split.key, key);
}

TEST(Path, ThePlusStaysAPlusAndTheQueryIsIgnored) {
  EXPECT_EQ(SplitTarget(kBase, "/_groupcache/g/a+b?x=/y").key, "a+b");
  EXPECT_EQ(SplitTarget(kBase, "/_groupcache/g/a%3Fb?x").key, "a?b");
}

TEST(Path, TheFirstSlashEndsTheGroupWhateverItsSpelling) {
  const SplitPath split = SplitTarget(kBase, "/_groupcache/a%2Fb/c");
  EXPECT_EQ(split.group, "a");
  EXPECT_EQ(split.key, "b/c");
  EXPECT_EQ(SplitTarget(kBase, "/_groupcache/g/").kind, PathKind::kKey);
  EXPECT_EQ(SplitTarget(kBase, "/_groupcache/g/").key, "");
  EXPECT_EQ(SplitTarget(kBase, "/_groupcache//k").group, "");
}

TEST(Path, TheBaseMayBeEscapedToo) {
  EXPECT_EQ(SplitTarget(kBase, "/%5Fgroupcache/g/k").kind, PathKind::kKey);
  EXPECT_EQ(SplitTarget("/", "/g/k").group, "g");
}

TEST(Path, P10WhatCannotBeSplitIsNamed) {
  EXPECT_EQ(SplitTarget(kBase, "/_groupcache/g").kind, PathKind::kBad);
  EXPECT_EQ(SplitTarget(kBase, "/_groupcache/").kind, PathKind::kBad);
  for (const char* broken : {"%", "%4", "%zz", "%4z", "a%%41"}) {
    EXPECT_EQ(SplitTarget(kBase, std::string("/_groupcache/g/") + broken).kind, PathKind::kBad) << broken;
    EXPECT_EQ(PathUnescape(broken).status().code(), Code::kInvalidArgument) << broken;
  }
  for (const char* elsewhere :
       {"", "/", "*", "/other", "/_groupcache", "_groupcache/g/k", "http://x/_groupcache/g/k"}) {
    EXPECT_EQ(SplitTarget(kBase, elsewhere).kind, PathKind::kElsewhere) << elsewhere;
  }
}

TEST(Path, OurOwnProtocolHasAPlaceOfItsOwn) {
  const SplitPath split = SplitTarget(kBase, "/_groupcache/_cohort/batch");
  EXPECT_EQ(split.kind, PathKind::kExtension);
  EXPECT_EQ(split.key, "batch");
}

}  // namespace
}  // namespace cohort::wire

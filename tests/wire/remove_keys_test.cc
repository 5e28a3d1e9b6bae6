// The JSON of remove-keys: what Go's encoding/json takes, we take, and what it refuses, we refuse in its words.
#include <gtest/gtest.h>

#include "wire/messages.h"
#include "wire/vectors.h"

namespace cohort::wire {
namespace {

using namespace std::string_literals;
using Keys = std::vector<std::string>;

std::string ErrorOf(const std::string& body) {
  const auto decoded = DecodeRemoveKeys(body);
  return decoded.ok() ? "none" : decoded.status().message();
}

TEST(RemoveKeys, AreWrittenAsGroupcacheGoWritesThem) {
  int compared = 0;
  for (const auto& line : ReadVectors("wire-client.jsonl")) {
    const std::string call = line["call"];
    if (call.find("removekeys") != 0) continue;
    EXPECT_EQ(EncodeRemoveKeys("g", {BytesOfHex(line["key_hex"])}), BytesOfHex(line["sent"][0]["body_hex"]));
    ++compared;
  }
  EXPECT_GE(compared, 4);
  EXPECT_EQ(EncodeRemoveKeys("g", {}), R"({"group":"g"})");
}

TEST(RemoveKeys, ComeBackWhateverTheirCharacters) {
  const Keys keys = {"", "a\"\\/\b\n\x01\x7f", "<>&", "ü日本\xF0\x9F\x98\x80", "\x00z"s, "\xE2\x80\xA8"};
  const auto decoded = DecodeRemoveKeys(EncodeRemoveKeys("a group \xff", keys));
  ASSERT_TRUE(decoded.ok()) << decoded.status().message();
  EXPECT_EQ(*decoded, keys);
}

// Each answer here is what Go 1.26 gave.
TEST(RemoveKeys, WhatGoAcceptsIsAccepted) {
  const std::vector<std::pair<std::string, Keys>> cases = {
      {"{}", {}},
      {"null", {}},
      {" \t\r\n{ } ", {}},
      {R"({"keys":["a","b"]})", {"a", "b"}},
      {R"({"KEYS":["a"],"x":1e999})", {"a"}},
      {R"({"x":[{"keys":["no"]},123456789012345678901234567890E-99999],"keys":["a"]})", {"a"}},
      {"{\"\u212Aey\u017F\":[\"a\"]}", {"a"}},
      {R"({"keys":["a","b"],"keys":["c"]})", {"c"}},
      {R"({"keys":["a"],"keys":null})", {}},
      {R"({"keys":[null,"a"],"group":null})", {"", "a"}},
      {"{\"keys\":[\"\\ud800\",\"\xff\xfe\"]}", {"\uFFFD", "\uFFFD\uFFFD"}},
      {R"({"keys":["\ud800\u0041","\udc00","\ud83d\ude00","\ud83d\ud83d\ude00"]})",
       {"\uFFFDA", "\uFFFD", "\U0001F600", "\uFFFD\U0001F600"}},
      {"{\"keys\":[\"\xed\xa0\x80\",\"\xc0\x80\",\"\xf4\x90\x80\x80\",\"\xe6\x97\"]}",
       {"\uFFFD\uFFFD\uFFFD", "\uFFFD\uFFFD", "\uFFFD\uFFFD\uFFFD\uFFFD", "\uFFFD\uFFFD"}},
      {R"({"group":"other","keys":["a"],"more":{"keys":5,"deep":[[[true]]]}})", {"a"}},
  };
  for (const auto& [body, keys] : cases) {
    const auto decoded = DecodeRemoveKeys(body);
    ASSERT_TRUE(decoded.ok()) << body << ": " << decoded.status().message();
    EXPECT_EQ(*decoded, keys) << body;
  }
}

TEST(RemoveKeys, P10WhatGoRefusesIsRefusedInItsWords) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "unexpected end of JSON input"},
      {" ", "unexpected end of JSON input"},
      {"[", "unexpected end of JSON input"},
      {R"({"keys":["a)", "unexpected end of JSON input"},
      {R"("abc)", "unexpected end of JSON input"},
      {R"({"keys":1})", "json: cannot unmarshal number into Go struct field RemoveKeysRequest.keys of type []string"},
      {R"({"keys":[1]})", "json: cannot unmarshal number into Go struct field RemoveKeysRequest.keys of type string"},
      {R"({"keys":[[]]})", "json: cannot unmarshal array into Go struct field RemoveKeysRequest.keys of type string"},
      {R"({"keys":{}})", "json: cannot unmarshal object into Go struct field RemoveKeysRequest.keys of type []string"},
      {R"({"group":1})", "json: cannot unmarshal number into Go struct field RemoveKeysRequest.group of type string"},
      {R"({"keys":[1,"a"],"group":2})",
       "json: cannot unmarshal number into Go struct field RemoveKeysRequest.keys of type string"},
      {"[]", "json: cannot unmarshal array into Go value of type pb.RemoveKeysRequest"},
      {"5", "json: cannot unmarshal number into Go value of type pb.RemoveKeysRequest"},
      {R"("s")", "json: cannot unmarshal string into Go value of type pb.RemoveKeysRequest"},
      {"true", "json: cannot unmarshal bool into Go value of type pb.RemoveKeysRequest"},
      {"[1 2", "invalid character '2' after array element"},
      {R"({"a" 1})", "invalid character '1' after object key"},
      {R"({"a":1 2})", "invalid character '2' after object key:value pair"},
      {"{}x", "invalid character 'x' after top-level value"},
      {"[]]", "invalid character ']' after top-level value"},
      {"[1,]", "invalid character ']' looking for beginning of value"},
      {"{,}", "invalid character ',' looking for beginning of object key string"},
      {R"({"a":1,})", "invalid character '}' looking for beginning of object key string"},
      {"'", R"(invalid character '\'' looking for beginning of value)"},
      {"\n\x01", R"(invalid character '\x01' looking for beginning of value)"},
      {"\xef\xbb\xbf{}", "invalid character 'ï' looking for beginning of value"},
      {"\xff", "invalid character 'ÿ' looking for beginning of value"},
      {"{}\0"s, R"(invalid character '\x00' after top-level value)"},
  };
  for (const auto& [body, error] : cases) EXPECT_EQ(ErrorOf(body), "invalid request: " + error) << body;
}

TEST(RemoveKeys, P10OtherNonsenseIsRefused) {
  for (const std::string& body :
       {"{a:1}"s, "tru"s, "nul"s, "trux"s, "-"s, "01"s, "1."s, "1e"s, "+1"s, R"("\x")"s, "\"\x01\""s, "{]"s, "{}{}"s,
        "\0"s, "[\0]"s, "//"s, "{\"keys\":[\"\0\"]}"s, R"({"keys":["\u12"]})"s, "{\"keys\":[\"a\\"s}) {
    EXPECT_EQ(ErrorOf(body).substr(0, 17), "invalid request: ") << body;
  }
}

TEST(RemoveKeys, P10DepthIsLimitedAsInGo) {
  const auto nested = [](size_t depth) {
    return "{\"x\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_EQ(ErrorOf(nested(10'000)), "none");
  EXPECT_EQ(ErrorOf(nested(10'001)), "invalid request: invalid character '[' exceeded max depth");
  EXPECT_EQ(ErrorOf(std::string(5'000'000, '[')), "invalid request: invalid character '[' exceeded max depth");
}

TEST(Utf8, IsJudgedAsGoJudgesIt) {
  for (const char* good : {"", "a", "\x7f", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe6\x97",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xfe"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace cohort::wire

// Messages: byte for byte what a groupcache-go node writes, and any bytes in.
#include "wire/messages.h"

#include <gtest/gtest.h>

#include <limits>

#include "wire/value_bodies.h"
#include "wire/vectors.h"

namespace cohort::wire {
namespace {

using namespace std::string_literals;

TEST(GetResponse, AlwaysCarriesTheExpiry) {
  EXPECT_EQ(EncodeGetResponse("n1:hello", 0), "\x0a\x08n1:hello\x18\x00"s);
  EXPECT_EQ(EncodeGetResponse("", 0), "\x0a\x00\x18\x00"s);
  EXPECT_EQ(EncodeGetResponse("v", 1), "\x0a\x01v\x18\x01"s);
}

TEST(GetResponse, IsTheSameWithAValueThatIsLent) {
  for (const size_t size : {size_t{1}, size_t{127}, size_t{128}, size_t{70'000}}) {
    const std::string value(size, 'v');
    Body body = LendGetResponse(value, Hold(), -5);
    std::string_view pieces[3];
    ASSERT_EQ(body.Pieces(pieces, 3), 3u);
    EXPECT_EQ(pieces[1].data(), value.data());
    EXPECT_EQ(std::move(body).Whole(), EncodeGetResponse(value, -5));
  }
}

TEST(GetResponse, ComesBackWhateverItsBytesAndExpiry) {
  for (const int64_t expire : {int64_t{0}, int64_t{1}, int64_t{-1}, std::numeric_limits<int64_t>::max(),
                               std::numeric_limits<int64_t>::min()}) {
    const std::string value = std::string(300, '\0') + "\xff\xfe";
    const auto decoded = DecodeGetResponse(EncodeGetResponse(value, expire));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded->value, value);
    EXPECT_EQ(decoded->expire_unix_ns, expire);
  }
}

TEST(GetResponse, MissingAndUnknownFieldsAreFine) {
  const auto empty = DecodeGetResponse("");
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->value, "");
  EXPECT_EQ(empty->expire_unix_ns, 0);
  // minute_qps, and a field 15 that nobody knows.
  const auto more = DecodeGetResponse("\x0a\x01v\x11\x00\x00\x00\x00\x00\x00\xf0\x3f\x7a\x01x"s);
  ASSERT_TRUE(more.ok());
  EXPECT_EQ(more->value, "v");
}

TEST(GetResponse, P10OtherBytesAreRefused) {
  for (const std::string& bad : {"\xff\xff"s, "\x0a"s, "\x0a\x05v"s, "\x00"s, "\x0b"s, "\x0c"s, "\x18"s}) {
    const auto decoded = DecodeGetResponse(bad);
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.status().message(), "proto: cannot parse invalid wire-format data");
  }
}

TEST(SetRequest, IsWrittenAsGroupcacheGoWritesIt) {
  int compared = 0;
  for (const auto& line : ReadVectors("wire-client.jsonl")) {
    const std::string call = line["call"];
    if (call.find("set") != 0) continue;
    const std::string body = BytesOfHex(line["sent"][0]["body_hex"]);
    const auto decoded = DecodeSetRequest(body);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded->key, BytesOfHex(line["key_hex"]));
    EXPECT_EQ(decoded->value, "value");
    EXPECT_EQ(decoded->expire_unix_ns != 0, call == "set expire");
    EXPECT_EQ(EncodeSetRequest(decoded->group, decoded->key, decoded->value, decoded->expire_unix_ns), body);
    ++compared;
  }
  EXPECT_GE(compared, 6);
}

TEST(SetRequest, KeysNeedNotBeUtf8) {
  const auto decoded = DecodeSetRequest(EncodeSetRequest("g\xff", "\xff\xfe\x00k"s, "v", 0));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->group, "g\xff");
  EXPECT_EQ(decoded->key, "\xff\xfe\x00k"s);
}

TEST(SetRequest, P10MissingFieldsAreNamedAsGoNamesThem) {
  EXPECT_EQ(DecodeSetRequest("").status().message(), "proto: required field pb.SetRequest.group not set");
  EXPECT_EQ(DecodeSetRequest("\x0a\x01g\x1a\x01x").status().message(),
            "proto: required field pb.SetRequest.key not set");
  EXPECT_EQ(DecodeSetRequest("\x12\x01k").status().message(), "proto: required field pb.SetRequest.group not set");
  EXPECT_EQ(DecodeSetRequest("\xff\xff").status().message(), "proto: cannot parse invalid wire-format data");
  EXPECT_TRUE(DecodeSetRequest("\x0a\x00\x12\x00"s).ok()) << "empty is not missing";
}

TEST(Batch, ComesBack) {
  std::vector<BatchEntry> entries(3);
  entries[0] = {BatchOp::kGet, "g", "\xff\x00"s, "", -1, 1500};
  entries[1] = {BatchOp::kSet, "h", "k", "a value", 0, 0};
  entries[2] = {BatchOp::kRemove, "", "", "", -1, 0};
  const auto decoded = DecodeBatch(EncodeBatch(entries));
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(decoded->size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*decoded)[i].op, entries[i].op);
    EXPECT_EQ((*decoded)[i].group, entries[i].group);
    EXPECT_EQ((*decoded)[i].key, entries[i].key);
    EXPECT_EQ((*decoded)[i].value, entries[i].value);
    EXPECT_EQ((*decoded)[i].life_ms, entries[i].life_ms);
    EXPECT_EQ((*decoded)[i].timeout_ms, entries[i].timeout_ms);
  }
}

TEST(Batch, P10AnUnknownOperationIsRefusedByName) {
  std::vector<BatchEntry> entries(2);
  entries[1].op = static_cast<BatchOp>(9);
  EXPECT_EQ(DecodeBatch(EncodeBatch(entries)).status().message(),
            "entry 1 of the batch has operation 9, which this node does not know");
  EXPECT_FALSE(DecodeBatch("\x0a\x00"s).ok()) << "an entry without an operation";
  EXPECT_FALSE(DecodeBatch("\x0a\x05").ok());
}

TEST(BatchAnswers, ComeBackInTheirOrder) {
  std::vector<BatchAnswer> answers(4);
  answers[0].value = "v";
  answers[0].life_ms = 0;
  answers[1].code = Code::kNotFound;
  answers[1].message = "not found: \xff";
  answers[2].keep = false;
  answers[3].code = Code::kRemoteFailed;
  const auto decoded = DecodeBatchAnswers(EncodeBatchAnswers(answers));
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(decoded->size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ((*decoded)[i].code, answers[i].code);
    EXPECT_EQ((*decoded)[i].message, answers[i].message);
    EXPECT_EQ((*decoded)[i].value, answers[i].value);
    EXPECT_EQ((*decoded)[i].life_ms, answers[i].life_ms);
    EXPECT_EQ((*decoded)[i].keep, answers[i].keep);
  }
}

TEST(BatchAnswers, TicketsAndTheIncarnationComeBack) {
  std::vector<BatchAnswer> answers(2);
  answers[0].ticket = ~uint64_t{0};
  answers[1].ticket = 1;
  answers[1].value = std::string(300, 'v');
  answers[1].life_ms = int64_t{1} << 60;
  uint64_t incarnation = 0;
  const auto decoded = DecodeBatchAnswers(EncodeBatchAnswers(answers, 0x8000000000000001), &incarnation);
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(decoded->size(), 2u);
  EXPECT_EQ((*decoded)[0].ticket, ~uint64_t{0});
  EXPECT_EQ((*decoded)[1].ticket, 1u);
  EXPECT_EQ((*decoded)[1].value, answers[1].value);
  EXPECT_EQ((*decoded)[1].life_ms, answers[1].life_ms);
  EXPECT_EQ(incarnation, 0x8000000000000001);
  ASSERT_TRUE(DecodeBatchAnswers(EncodeBatchAnswers(answers), &incarnation).ok());
  EXPECT_EQ(incarnation, 0u) << "none";
}

TEST(BatchAnswers, AreTheSameWhetherTheirValuesAreCopiedOrLent) {
  const std::string small = "v";
  const std::string large(70'000, 'v');
  std::vector<BatchAnswerView> answers(5);
  answers[0].value = large;
  answers[1].value = small;
  answers[1].life_ms = 128;
  answers[2].value = large;
  answers[2].life_ms = 0;
  answers[2].keep = false;
  answers[2].ticket = 7;
  answers[3].code = Code::kNotFound;
  answers[3].message = "not found";
  BatchAnswersWriter writer(0, 0, 0);
  for (const BatchAnswerView& answer : answers) writer.Lend(answer, Hold());
  EXPECT_EQ(std::move(writer).Finish(9).Whole(), EncodeBatchAnswers(answers, 9));
}

TEST(Session, ComesBackFromABatchAndFromACollect) {
  Session session;
  session.id = ~uint64_t{0};
  session.received = {1, uint64_t{1} << 63};
  session.dropped = {7};
  for (const bool of_batch : {true, false}) {
    Session decoded;
    int64_t wait_ms = -1;
    if (of_batch) {
      ASSERT_TRUE(DecodeBatch(EncodeBatch(std::vector<BatchEntry>(), session), &decoded).ok());
    } else {
      decoded = *DecodeCollect(EncodeCollect(session, 5000), &wait_ms);
      EXPECT_EQ(wait_ms, 5000);
    }
    EXPECT_EQ(decoded.id, session.id);
    EXPECT_EQ(decoded.received, session.received);
    EXPECT_EQ(decoded.dropped, session.dropped);
  }
  Session none;
  ASSERT_TRUE(DecodeBatch(EncodeBatch(std::vector<BatchEntry>()), &none).ok());
  EXPECT_EQ(none.id, 0u);
  int64_t wait_ms = 0;
  EXPECT_FALSE(DecodeCollect("\xff", &wait_ms).ok());
}

TEST(Batch, WhatANewerNodeAddsIsSkipped) {
  // A get of "k" of "g", with a varint, a fixed64, a fixed32, bytes and a group in a group that nobody knows.
  const std::string unknown =
      "\x78\x96\x01"s + "\x79" + "12345678" + "\x7d" + "1234" + "\x7a\x03" + "abc" + "\x7b\x7b\x08\x01\x7c\x7c";
  const std::string entry = "\x08\x01\x12\x01g\x1a\x01k" + unknown;
  const std::string body = "\x0a" + std::string(1, static_cast<char>(entry.size())) + entry + unknown;
  const auto decoded = DecodeBatch(body);
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(decoded->size(), 1u);
  EXPECT_EQ(decoded->front().key, "k");
  for (size_t size = 1; size < body.size(); ++size) {
    // Cut between two fields it is still a message, cut within one it is not.
    const auto cut = DecodeBatch(std::string_view(body).substr(0, size));
    EXPECT_TRUE(!cut.ok() || cut->front().key == "k");
  }
  EXPECT_FALSE(DecodeBatch("\x7b\x08\x01"s).ok()) << "a group without an end";
  EXPECT_FALSE(DecodeBatch("\x7b\x74"s).ok()) << "a group with another's end";
  EXPECT_FALSE(DecodeBatch("\x7c"s).ok()) << "an end without a group";
  EXPECT_FALSE(DecodeBatch("\x02\x00"s).ok()) << "field 0";
  EXPECT_FALSE(DecodeBatch(std::string(11, '\xff')).ok()) << "a number without an end";
  EXPECT_FALSE(DecodeBatch(std::string(300, '\x7b')).ok()) << "groups without end";
}

TEST(Session, TicketsMayComeOneByOne) {
  const std::string note = "\x09"s + std::string("\x07\0\0\0\0\0\0\0", 8) + "\x11" +
                           std::string("\x01\0\0\0\0\0\0\0", 8) + "\x11" + std::string("\x02\0\0\0\0\0\0\0", 8);
  Session session;
  ASSERT_TRUE(DecodeBatch("\x12" + std::string(1, static_cast<char>(note.size())) + note, &session).ok());
  EXPECT_EQ(session.id, 7u);
  EXPECT_EQ(session.received, (std::vector<uint64_t>{1, 2}));
  EXPECT_FALSE(DecodeBatch("\x12\x03\x12\x01x"s, &session).ok()) << "half a ticket";
}

TEST(BatchAnswers, ACodeOfANewerNodeIsNotFinal) {
  std::vector<BatchAnswer> answers(1);
  answers[0].code = static_cast<Code>(99);
  EXPECT_EQ(DecodeBatchAnswers(EncodeBatchAnswers(answers))->front().code, Code::kInternal);
}

}  // namespace
}  // namespace cohort::wire

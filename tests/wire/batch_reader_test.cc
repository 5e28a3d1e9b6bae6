// BatchReader: it takes exactly what protobuf's own parser takes.
#include "wire/batch_reader.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "wire/messages.h"

namespace cohort::wire {
namespace {

using namespace std::string_literals;

// What the field reader makes of it; none: it is broken.
std::optional<GetResponseView> Read(std::string_view message) {
  const Result<GetResponseView> response = ViewGetResponse(message);
  return response.ok() ? std::optional(*response) : std::nullopt;
}

// DecodeGetResponse asks protobuf's own parser.
void ExpectTheSameOfProtobuf(const std::string& message) {
  const Result<GetResponse> protobuf = DecodeGetResponse(message);
  const std::optional<GetResponseView> ours = Read(message);
  ASSERT_EQ(ours.has_value(), protobuf.ok()) << testing::PrintToString(message);
  if (!ours) return;
  EXPECT_EQ(ours->value, protobuf->value) << testing::PrintToString(message);
  EXPECT_EQ(ours->expire_unix_ns, protobuf->expire_unix_ns) << testing::PrintToString(message);
}

TEST(BatchReader, TakesNumbersThatAreLongerThanTheyNeedBe) {
  // A tag, and a size, in up to five bytes, any other number in up to ten.
  EXPECT_EQ(Read("\x98\x80\x80\x80\x00\x07"s)->expire_unix_ns, 7);
  EXPECT_FALSE(Read("\x98\x80\x80\x80\x80\x00\x07"s));
  EXPECT_EQ(Read("\x0a\x81\x80\x80\x80\x00v"s)->value, "v");
  EXPECT_EQ(DecodeBatch("\x0a\x83\x80\x80\x80\x00\x08\x81\x00"s)->size(), 1u);
  EXPECT_FALSE(Read("\x0a\x81\x80\x80\x80\x80\x00v"s));
  EXPECT_EQ(Read("\x18\x87\x80\x80\x80\x80\x80\x80\x80\x80\x00"s)->expire_unix_ns, 7);
  EXPECT_FALSE(Read("\x18\x87\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"s));
  // What does not fit into 64 bits, or a tag's 32, is lost.
  EXPECT_EQ(Read("\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"s)->expire_unix_ns, INT64_MIN);
  EXPECT_EQ(Read("\x98\x80\x80\x80\x70\x07"s)->expire_unix_ns, 7);
  // No size is 2 GiB or more.
  EXPECT_FALSE(Read("\x0a\xff\xff\xff\xff\x0fv"s));
  for (const std::string& message :
       {"\x98\x80\x80\x80\x00\x07"s, "\x98\x80\x80\x80\x80\x00\x07"s, "\x0a\x81\x80\x80\x80\x00v"s,
        "\x0a\x81\x80\x80\x80\x80\x00v"s, "\x18\x87\x80\x80\x80\x80\x80\x80\x80\x80\x00"s,
        "\x18\x87\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"s, "\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"s,
        "\x98\x80\x80\x80\x70\x07"s, "\x0a\xff\xff\xff\xff\x0fv"s}) {
    ExpectTheSameOfProtobuf(message);
  }
}

// Messages of pieces that are right, nearly right and wrong, cut anywhere.
TEST(BatchReader, P10AgreesWithProtobufOnAnyBytes) {
  const std::vector<std::string> pieces = {
      "\x0a\x03"
      "abc"s,
      "\x0a\x80\x01"s + std::string(128, 'x'),
      "\x18\x05"s,
      "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
      "\x11"s + std::string(8, '\x01'),
      "\x25"s + std::string(4, '\x02'),
      "\x7a\x01x"s,
      "\x7b\x08\x01\x7c"s,
      "\x7b"s,
      "\x7c"s,
      "\x0f"s,
      "\x06"s,
      "\x00"s,
      "\x80\x00"s,
      "\x8a\x00\x01y"s,
      "\x9a\x80\x80\x80\x00\x01z"s,
      "\x18\x85\x80\x80\x00"s,
      "\x0a\x82\x80\x00zz"s,
      "\xff\xff\xff\xff\x0f"s,
      "\xfa\xff\xff\xff\x7f\x01u"s,
      "\x0a"s,
      "\x80"s,
      "\xff"s,
      std::string(120, '\x7b'),
      "\x0a\xff\xff\xff\xff\x07"s,
      "\x18\x80"s,
      "\x0a\x7f"s};
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string message;
    for (unsigned i = random() % 4; i > 0; --i) message += pieces[random() % pieces.size()];
    if (random() % 4 == 0 && !message.empty()) message[random() % message.size()] = static_cast<char>(random());
    if (random() % 4 == 0) message.resize(random() % (message.size() + 1));
    ExpectTheSameOfProtobuf(message);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace cohort::wire

// Body: its pieces are its bytes, wherever these lie, and it holds what it has been lent as long as it is there.
#include "base/body.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort {
namespace {

// Counts how often what it held was let go of.
class Counted {
 public:
  Hold NewHold() {
    ++held;
    return Hold(this, [](void* self) { --static_cast<Counted*>(self)->held; });
  }
  int held = 0;
};

std::string Joined(const std::vector<std::string_view>& pieces) {
  std::string all;
  for (const std::string_view piece : pieces) all += piece;
  return all;
}

std::vector<std::string_view> PiecesOf(const Body& body, size_t most = 1000) {
  std::vector<std::string_view> pieces(most);
  pieces.resize(body.Pieces(pieces.data(), most));
  return pieces;
}

TEST(Body, IsItsOwnBytesWithWhatIsLentInBetween) {
  const std::string lent = "lent";
  Body body("own, ");
  body.Lend(lent, Hold());
  body.own() += ", own";
  body.Lend(lent, Hold());
  EXPECT_EQ(body.size(), 18u);
  EXPECT_EQ(Joined(PiecesOf(body)), "own, lent, ownlent");
  EXPECT_EQ(PiecesOf(body)[1].data(), lent.data());
  EXPECT_EQ(std::move(body).Whole(), "own, lent, ownlent");
}

TEST(Body, AnEmptyOneHasNoPieces) {
  Body body;
  body.Lend("", Hold());
  EXPECT_TRUE(body.empty());
  EXPECT_TRUE(PiecesOf(body).empty());
  EXPECT_EQ(std::move(body).Whole(), "");
}

TEST(Body, AStringComesBackWithoutACopy) {
  const std::string text(1000, 'x');
  Body body(text);
  const char* const at = PiecesOf(body)[0].data();
  EXPECT_EQ(std::move(body).Whole().data(), at);
}

TEST(Body, HoldsWhatItHasBeenLentUntilItGoes) {
  Counted counted;
  {
    Body body;
    body.Lend("lent", counted.NewHold());
    body.Skip(4);
    EXPECT_EQ(counted.held, 1);
    Body moved = std::move(body);
    body = Body();
    EXPECT_EQ(counted.held, 1);
    moved.Lend("more", counted.NewHold());
    EXPECT_EQ(counted.held, 2);
  }
  EXPECT_EQ(counted.held, 0);
  Body body;
  body.Lend("", counted.NewHold());
  EXPECT_EQ(counted.held, 0);
}

TEST(Body, AHoldThatIsReplacedLetsGoOnce) {
  Counted counted;
  {
    Hold hold = counted.NewHold();
    hold = counted.NewHold();
    hold = Hold();
  }
  EXPECT_EQ(counted.held, 0);
}

// However it is read, a few bytes or pieces at a time, what is read is what was put in.
TEST(Body, MayBeReadInAnySteps) {
  std::mt19937 random(1);
  const std::string elsewhere(100, 'l');
  for (int round = 0; round < 500; ++round) {
    std::string expected;
    Body body;
    for (unsigned i = random() % 8; i > 0; --i) {
      const size_t size = random() % 5;
      if (random() % 2 == 0) {
        const std::string own(size, static_cast<char>('a' + i));
        body.own() += own;
        expected += own;
      } else {
        body.Lend(std::string_view(elsewhere).substr(0, size), Hold());
        expected += elsewhere.substr(0, size);
      }
    }
    ASSERT_EQ(body.size(), expected.size());
    std::string read;
    while (read.size() < expected.size()) {
      const auto pieces = PiecesOf(body, 1 + random() % 3);
      ASSERT_FALSE(pieces.empty());
      for (const std::string_view piece : pieces) ASSERT_FALSE(piece.empty());
      const std::string next = Joined(pieces);
      ASSERT_EQ(next, expected.substr(read.size(), next.size()));
      const size_t taken = random() % (next.size() + 1);
      read += next.substr(0, taken);
      body.Skip(taken);
      if (random() % 4 == 0) {
        EXPECT_EQ(std::move(body).Whole(), expected.substr(read.size()));
        read = expected;
        body = Body();
      }
    }
    EXPECT_TRUE(PiecesOf(body).empty());
  }
}

}  // namespace
}  // namespace cohort

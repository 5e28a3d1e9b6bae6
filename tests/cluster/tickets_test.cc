// The asker's tickets: answers find their gets in any order of arrival, and nothing is told twice.
#include "cluster/tickets.h"

#include <gtest/gtest.h>

namespace cohort {
namespace {

using Numbers = std::vector<uint64_t>;

wire::BatchAnswer AnswerOf(uint64_t ticket, const std::string& value) {
  wire::BatchAnswer answer;
  answer.ticket = ticket;
  answer.value = value;
  return answer;
}

class TicketsTest : public ::testing::Test {
 protected:
  std::optional<Tickets::Call> Receive(uint64_t ticket, const std::string& value = "v") {
    const wire::BatchAnswer answer = AnswerOf(ticket, value);
    return tickets_.Receive(wire::ToView(answer));
  }
  Tickets tickets_{7};
};

TEST_F(TicketsTest, AnAnswerEndsTheCallOfItsTicketAndIsAcknowledged) {
  EXPECT_FALSE(tickets_.waiting());
  EXPECT_FALSE(tickets_.Await(100, 1, 5));
  EXPECT_FALSE(tickets_.Await(101, 2, 5));
  EXPECT_TRUE(tickets_.waiting());
  EXPECT_EQ(Receive(101), 2u);
  EXPECT_EQ(Receive(101), std::nullopt) << "once";
  EXPECT_EQ(Receive(100), 1u);
  EXPECT_FALSE(tickets_.waiting());
  const wire::Session note = tickets_.TakeNote();
  EXPECT_EQ(note.id, 7u);
  EXPECT_EQ(note.received, (Numbers{101, 101, 100}));
  EXPECT_TRUE(tickets_.TakeNote().received.empty()) << "it has been told";
  tickets_.Restore(note);
  EXPECT_EQ(tickets_.TakeNote().received.size(), 3u) << "unless that was lost";
}

TEST_F(TicketsTest, AnAnswerThatComesBeforeItsTicketIsKept) {
  const uint64_t batch = tickets_.BeginBatch();
  EXPECT_EQ(Receive(100, "early"), std::nullopt);
  const auto early = tickets_.Await(100, 1, 5);
  ASSERT_TRUE(early);
  EXPECT_EQ(early->value, "early");
  EXPECT_FALSE(tickets_.waiting());
  tickets_.EndBatch(batch);
}

TEST_F(TicketsTest, AnAnswerThatNoBatchCanClaimIsLetGoOf) {
  const uint64_t first = tickets_.BeginBatch();
  EXPECT_EQ(Receive(100), std::nullopt);
  const uint64_t second = tickets_.BeginBatch();
  tickets_.EndBatch(first);
  EXPECT_FALSE(tickets_.Await(100, 1, 5)) << "the second batch was sent after the answer came";
  tickets_.EndBatch(second);
  EXPECT_EQ(Receive(200), std::nullopt) << "and with no batch on its way nothing is kept";
  EXPECT_FALSE(tickets_.Await(200, 2, 5));
}

TEST_F(TicketsTest, ADroppedTicketIsToldAndForgotten) {
  tickets_.Await(100, 1, 5);
  tickets_.Drop(100);
  EXPECT_FALSE(tickets_.waiting());
  EXPECT_TRUE(tickets_.dropping());
  EXPECT_EQ(Receive(100), std::nullopt);
  EXPECT_EQ(tickets_.TakeNote().dropped, (Numbers{100}));
  EXPECT_FALSE(tickets_.dropping());
}

TEST_F(TicketsTest, AnotherIncarnationHasLostWhatWasAwaitedBefore) {
  tickets_.Await(100, 1, 5);
  const uint64_t sent = tickets_.Now();
  tickets_.Await(101, 2, 6);
  tickets_.Await(102, 3, 5);
  EXPECT_EQ(tickets_.TakeLost(5, sent), Numbers());
  EXPECT_EQ(tickets_.TakeLost(6, sent), (Numbers{1})) << "102 was not known when the collect was sent";
  EXPECT_EQ(tickets_.TakeLost(6, tickets_.Now()), (Numbers{3}));
  EXPECT_EQ(Receive(101), 2u);
}

TEST_F(TicketsTest, AResetForgetsAllAndBeginsANewSession) {
  tickets_.BeginBatch();
  tickets_.Await(100, 1, 5);
  tickets_.Drop(103);
  Receive(104);
  const wire::Session old = tickets_.TakeNote();
  EXPECT_EQ(tickets_.Reset(8), (Numbers{1}));
  EXPECT_EQ(tickets_.session(), 8u);
  EXPECT_FALSE(tickets_.waiting());
  tickets_.Restore(old);
  EXPECT_TRUE(tickets_.TakeNote().received.empty()) << "what was the old session's";
  EXPECT_FALSE(tickets_.Await(104, 9, 5));
}

}  // namespace
}  // namespace cohort

// Tickets is what an asker knows of the answers that a peer owes it: which get waits for which ticket, and what the
// peer has yet to be told. Not thread safe.
//
// An answer may be collected before the asker has heard of its ticket; it is kept until that batch has ended:
//   1. the owner answers a batch with a ticket    2. the load ends, and the waiting collect is answered with it
//   3. the collected answer comes first           4. the batch's answer comes
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "wire/messages.h"

namespace cohort {

class Tickets {
 public:
  using Call = uint64_t;

  // session: a random number, not 0.
  explicit Tickets(uint64_t session) { session_.id = session; }

  uint64_t session() const { return session_.id; }
  // Some ticket's answer is to be collected.
  bool waiting() const { return !calls_.empty(); }
  // There are tickets that the peer should be told to drop.
  bool dropping() const { return !session_.dropped.empty(); }
  // What the peer has to be told with the next request, once.
  wire::Session TakeNote();
  // That request was lost.
  void Restore(wire::Session note);

  // A batch is on its way, and has ended.
  uint64_t BeginBatch();
  void EndBatch(uint64_t batch);
  // A batch's answer gave the call a ticket; perhaps its own answer is here already.
  std::optional<wire::BatchAnswer> Await(uint64_t ticket, Call call, uint64_t incarnation);
  // Nobody waits for it, any more or at all.
  void Drop(uint64_t ticket);
  // The time of its get has passed, and so it will there in a moment: the answer that says so is still collected. The
  // peer is not told that its caller has left, which would end a load that others may be about to ask for.
  void Forget(uint64_t ticket);
  // An answer was collected. The call it is for; none if nobody knows the ticket, whose answer may then be kept.
  std::optional<Call> Receive(const wire::BatchAnswerView& answer);

  // A moment in the order of events, for Lost.
  uint64_t Now() const { return events_; }
  // A collect that was sent at `sent` found that incarnation: what was awaited by then from another is lost.
  std::vector<Call> TakeLost(uint64_t incarnation, uint64_t sent);
  // The peer is given up: all is lost, and a new session begins.
  std::vector<Call> Reset(uint64_t session);

 private:
  struct Awaited {
    Call call = 0;  // 0: nobody's any more.
    uint64_t incarnation = 0;
    uint64_t since = 0;
  };
  struct Early {
    wire::BatchAnswer answer;
    uint64_t last_batch = 0;  // The newest that may bring its ticket.
  };

  wire::Session session_;
  std::unordered_map<uint64_t, Awaited> calls_;
  std::unordered_map<uint64_t, Early> early_;
  std::map<uint64_t, int> batches_;  // On their way.
  uint64_t last_batch_ = 0;
  uint64_t events_ = 0;
};

}  // namespace cohort

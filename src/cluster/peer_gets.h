// PeerGets asks one peer for keys. A peer that answers with tickets is asked in batches: a get that finds a free slot
// goes at once, alone; when all slots are taken it waits, and the next slot to be free takes all that waits. Any other
// peer gets one plain request for each key. Thread safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/deadlines.h"
#include "cluster/get_queue.h"
#include "cluster/peer.h"
#include "cluster/peer_line.h"
#include "cluster/sending.h"
#include "cluster/slot_table.h"
#include "cluster/tickets.h"
#include "runtime/alarm.h"
#include "runtime/runtime.h"

namespace cohort {

class PeerGets : public std::enable_shared_from_this<PeerGets> {
 public:
  using CallId = Peer::CallId;

  PeerGets(std::shared_ptr<PeerLine> line, Runtime& runtime);

  // As Peer says. timeout_ms > 0.
  CallId Get(std::string_view group, std::string_view key, int64_t timeout_ms, Peer::GetDone done);
  void GetAll(std::span<std::shared_ptr<PeerGet>> gets);
  void Cancel(CallId id);
  // After the channel has been closed.
  void Close();

 private:
  using Shared = std::shared_ptr<PeerGet>;
  using Way = PeerGet::Way;
  struct Ended {
    Shared get;
    PeerAnswer answer;
  };
  // A get whose end has come with a batch's answer, while that lives.
  struct Told {
    Shared get;
    const wire::BatchAnswerView* said;
  };
  // A batch on its way, or a request that tells or asks of tickets.
  struct Sent {
    uint64_t number = 0;  // Of the batch.
    uint64_t since = 0;   // Tickets::Now() when it was sent.
    Health::Permit permit = 0;
    struct Get {
      CallId id;
      int64_t deadline_ns;
    };
    std::vector<Get> gets;
    int64_t latest_ms = 0;  // Until the last of them ends.
    std::string body;
    wire::Session note;
  };
  enum class Form { kAny, kPlain, kBatch };

  // ---- peer_gets.cc: one request for each key
  // own: of the calling thread.
  void SendPlain(CallId id, const Shared& get, Form form, bool own = false);
  void EndPlain(CallId id, const Shared& get, bool batch, bool other_form_left, int64_t sent_unix_ns,
                Result<Response> end);
  void Finish(CallId id, const Shared& get, PeerAnswer answer);
  // Gives it a number. REQUIRES: mutex_ held.
  CallId Add(Shared get);
  PeerAnswer Cancelled() const;
  // What waits goes in a moment, whatever is known then. REQUIRES: mutex_ held.
  void AwaitFirstAnswer();
  // Without the lock: asks the peer what it is.
  void Introduce();
  void EndIntroduction();
  void PumpAfterBurst();

  // ---- peer_batches.cc: one request for many. REQUIRE mutex_ held where no lock is said.
  void Enqueue(CallId id, PeerGet& get);
  Shared Take(CallId id);
  void TakeEnded(CallId id, PeerAnswer&& answer, std::vector<Ended>* ended);
  // Once more if it has not been, else its end.
  void AskAgain(CallId id, std::vector<Ended>* ended);
  // Null: it is no longer in the batch that it went with.
  const Shared* FindInBatch(CallId id) const;
  void BecomePlain(PeerGet& get);
  // True: its value did not fit, so it will be asked for alone.
  bool AskAlone(CallId id, PeerGet& get, Code said);
  // Its end, unless its value did not fit.
  void EndOrAskAlone(CallId id, PeerGet& get, Code said, PeerAnswer&& answer, std::vector<Ended>* ended);
  void ArmTimer();
  bool HasSlot() const;
  Task NextWork();
  Task TakeBatch(bool batches);
  // A slot is free, nothing goes before these, and they fit into one request.
  bool GoAtOnce(std::span<const Shared> gets) const;
  std::shared_ptr<Sent> BeginBatch(const std::vector<CallId>& ids);
  // Without the lock:
  void Pump();
  void OnTimer(uint64_t set);
  void SendBatch(const std::shared_ptr<Sent>& sent);
  void EndBatch(const std::shared_ptr<Sent>& sent, Result<Response> end);
  void ReadBatch(const Sent& sent, const std::vector<wire::BatchAnswerView>& answers, uint64_t incarnation,
                 std::vector<Told>* told, std::vector<Ended>* ended);
  void SendCollect(const std::shared_ptr<Sent>& sent, int64_t wait_ms);
  void EndTell();
  void EndPoll(const std::shared_ptr<Sent>& sent, Result<Response> end);
  void ReadPoll(const Sent& sent, const std::vector<wire::BatchAnswerView>& answers, uint64_t incarnation,
                std::vector<Ended>* ended);
  static void Run(std::vector<Ended> ended);
  void RunTold(std::vector<Told> told) const;
  bool IsClosed();

  const std::shared_ptr<PeerLine> line_;
  Runtime& runtime_;

  std::mutex mutex_;
  SlotTable<Shared> gets_;
  bool closed_ = false;
  int plain_ = 0;  // Of the gets, those that are kPlain.
  bool awaiting_first_ = false;
  bool pump_put_off_ = false;  // Until some thread's burst is over.

  GetQueue queue_;
  std::deque<CallId> alone_;
  Deadlines deadlines_;  // Of all that are not kPlain: a request's time is not theirs.
  Alarm alarm_;
  int slots_taken_ = 0;
  std::shared_ptr<Sent> begun_;  // A batch that has its slot, and goes next.
  Sending sending_;
  bool polling_ = false;
  int polls_lost_ = 0;  // In a row.
  Tickets tickets_;
};

}  // namespace cohort

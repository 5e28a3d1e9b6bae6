// PeerGet is one question to a peer, for one key, until its end. Who asks derives from it, so that what the peer has to
// remember of a get lies in the asker's own memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "cache/value.h"
#include "cluster/deadlines.h"
#include "cluster/health.h"
#include "transport/transport.h"

namespace cohort {

struct PeerAnswer {
  // kOk; kNotFound and kRemoteFailed are the owner's last word; anything else: not reached, load it here.
  Status status;
  ValueRef value;           // When ok. Its key is the key that was asked for.
  bool keep = true;         // False: hand it to those who wait, keep it nowhere (a Remove or Set overtook its load).
  uint64_t error_tag = 0;   // The host's own, from a custom transport.
  int64_t now_ns = 0;       // When it came, monotonic,
  int64_t now_unix_ns = 0;  // and by the calendar; 0: the clocks have not been read.
};

class PeerGet : public Deadlines::Timed {
 public:
  PeerGet() : Timed(0) {}
  virtual ~PeerGet() = default;
  PeerGet(const PeerGet&) = delete;
  PeerGet& operator=(const PeerGet&) = delete;

  // What is asked: set before it is asked, and alive as long as this.
  std::string_view group;
  std::string_view key;

  // Its end, once, on any thread, with no lock held. Who calls it keeps it alive. Returns how many waiters were handed
  // the answer's error_tag.
  virtual int64_t End(PeerAnswer&& answer) = 0;

 private:
  friend class Peer;
  friend class PeerGets;
  enum class Way { kPlain, kQueued, kBatch, kTicket };

  std::atomic<uint64_t> call_{0};  // Its number at the peer, once that has it.
  std::atomic<bool> given_up_{false};

  // What follows is guarded by the lock of the PeerGets that asks.
  uint64_t id_ = 0;  // As call_.
  Health::Permit permit_ = 0;
  Way way_ = Way::kPlain;

  // kPlain
  bool cancelled_ = false;
  int attempt_ = 0;  // 1: the first request, 2: the same again in the other form.
  PeerChannel::CallId sent_as_ = 0;

  // The others
  bool alone_ = false;        // Its value did not fit beside others.
  bool asked_ = false;        // Its permit went with a request.
  bool asked_again_ = false;  // Its ticket was lost once.
  uint64_t ticket_ = 0;       // kTicket
};

}  // namespace cohort

// Calls holds the open calls of one channel and sees to it that each completes exactly once: by its answer, its
// deadline, its cancelling or the channel's end, whichever comes first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "runtime/runtime.h"
#include "transport/transport.h"

namespace cohort {

constexpr int64_t kNsPerMs = 1'000'000;

// Milliseconds as nanoseconds; what would overflow becomes about a century.
inline int64_t MsToNs(int64_t ms) {
  constexpr int64_t kCenturyMs = INT64_C(3'155'760'000'000);
  return (ms < kCenturyMs ? ms : kCenturyMs) * kNsPerMs;
}

// A call is open while it is in `open_`; whoever takes it out completes it.
//
//   1. The answer comes: takes the call out, posts its completion under the lock.
//   2. Close, then the end of the runtime: Close takes the lock, so the post is over before the runtime may end.
class Calls : public std::enable_shared_from_this<Calls> {
 public:
  // `abandoned`, if any, runs with no lock held after a call's deadline has completed it. Timers and posted completions
  // run on the runtime, which must outlive Close.
  Calls(Runtime& runtime, std::string peer, std::function<void(uint64_t)> abandoned = nullptr);

  // Returns the call's id; 0 when closed, and `done` has run.
  uint64_t Open(ResponseDone done, int64_t timeout_ms);
  bool IsOpen(uint64_t id);
  // Completes the call on the executor; nothing if it is no longer open.
  void Finish(uint64_t id, Result<Response> result);
  // The same on this thread. No lock may be held.
  void FinishHere(uint64_t id, Result<Response> result);
  // Completes every open call with kClosed; later Opens fail. Idempotent.
  void Close();

 private:
  struct Call {
    ResponseDone done;
    TimerId timer;
  };

  // Empty if the call is no longer open. REQUIRES: mutex_ held.
  ResponseDone Take(uint64_t id);

  Runtime& runtime_;
  const std::string peer_;
  const std::function<void(uint64_t)> abandoned_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, Call> open_;
  uint64_t next_id_ = 1;
  bool closed_ = false;
};

}  // namespace cohort

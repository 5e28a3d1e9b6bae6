// Service answers peers' requests: it turns the wire into calls on the groups of this node and their ends into
// responses. It is a function from request to response, so that any HTTP server can carry it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/unique_function.h"
#include "cache/value.h"
#include "runtime/runtime.h"
#include "transport/transport.h"

namespace cohort {

// A group as peers may use it. Nothing here ever asks another peer (P3).
class ServedGroup {
 public:
  virtual ~ServedGroup() = default;
  struct Answer {
    Status status;     // kOk, kNotFound, kLoadFailed; anything else becomes a 500, so that the asker loads for itself
    ValueRef value;    // when ok
    bool keep = true;  // false: a Remove or Set overtook the load
  };
  // The way of hits, for many keys side by side: each of `found` becomes the value that is here, or stays null, and
  // then ServeGet goes on.
  virtual void ServeHits(const std::string_view* keys, size_t count, ValueRef* found) = 0;
  // Of a key of which ServeHits has just found nothing. timeout_ms <= 0: none of the peer's own. Returns the number of
  // the wait for ServeCancel; 0: it has ended.
  virtual uint64_t ServeGet(std::string_view key, int64_t timeout_ms, UniqueFunction<void(Answer)> done) = 0;
  // The peer waits for that no more: its wait ends with kCancelled, if it has not ended.
  virtual void ServeCancel(uint64_t wait) = 0;
  // from_cohort: the sender is a Cohort node; for a key that this node does not own the value is then not kept.
  virtual void ServeSet(std::string_view key, std::string_view value, int64_t expire_unix_ns, bool from_cohort) = 0;
  virtual void ServeRemove(std::string_view key) = 0;
};

class ServedGroups {
 public:
  virtual ~ServedGroups() = default;
  // Null: there is none of that name, or this node is shutting down.
  virtual std::shared_ptr<ServedGroup> FindServed(std::string_view name) = 0;
};

class ServedSessions;

class Service final : public RequestHandler {
 public:
  // `groups` may go away: what comes later is answered 500. `runtime` must outlive the answers.
  Service(std::string base_path, std::weak_ptr<ServedGroups> groups, Runtime& runtime);
  ~Service() override;
  void Handle(Request request, UniqueFunction<void(ServedResponse)> done) override;
  // Forgets what is owed to peers that have been silent for long. To be called now and then.
  void Sweep();
  // Waits until the peers have collected what is ready for them; false: they had not by that point of the monotonic
  // clock.
  bool AwaitCollected(int64_t deadline_ns);

 private:
  // What the handlers of one request need from it.
  struct Asked;

  void ServeKey(Asked asked);
  void ServeBatch(Asked asked);
  void ServeCollect(Asked asked);

  const std::string base_path_;
  const std::weak_ptr<ServedGroups> groups_;
  Runtime& runtime_;
  Clock& clock_;
  const std::unique_ptr<ServedSessions> sessions_;
};

}  // namespace cohort

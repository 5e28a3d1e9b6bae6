// A Face is one way to call Cohort, as the runner of the behaviours sees it: members, groups, and gets that are begun,
// awaited and cancelled. Errors are the names that the list of behaviours knows.
#pragma once

#include <cohort/cohort.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace behaviours {

class StandardGetter;

// How a call ended.
struct Answer {
  std::string error;  // Empty: it succeeded.
  std::string message;
  bool miss = false;                 // A peek found nothing.
  std::shared_ptr<const void> held;  // Keeps `value` alive.
  std::string_view value;
  std::optional<int64_t> expire_unix_ns;  // Of a value, where the face shows it.
  std::string source;                     // Of a value, where the face shows it; else empty.

  static Answer Failed(cohort_status_t status, std::string message);
  static Answer Of(cohort_value_t* value, int32_t source);  // Takes the handle over.
};

// A get that was begun. `cancel` may be called at any time.
struct Pending {
  std::future<Answer> answer;
  std::function<void()> cancel;
};

// Blocking calls, and Start, which never blocks.
class Group {
 public:
  virtual ~Group() = default;
  virtual Answer Get(std::string_view key, int64_t timeout_ms) = 0;
  // An answer for each key, or a single one when the call as a whole has failed.
  virtual std::vector<Answer> GetMany(const std::vector<std::string>& keys, int64_t timeout_ms) = 0;
  virtual Answer Peek(std::string_view key) = 0;
  virtual Answer Set(std::string_view key, std::string_view value, int64_t expire_unix_ns, int64_t timeout_ms) = 0;
  virtual Answer Remove(std::string_view key, int64_t timeout_ms) = 0;
  virtual Answer RemoveKeys(const std::vector<std::string>& keys, int64_t timeout_ms) = 0;
  virtual Pending Start(std::string_view key, int64_t timeout_ms) = 0;
  virtual Answer ResetCache(int64_t cache_bytes) = 0;
  virtual cohort_group_stats_t Stats() = 0;
  virtual cohort_cache_stats_t CacheStats(int32_t tier) = 0;
};

// How the groups of a case are made.
struct GroupSpec {
  int64_t cache_bytes = 64 << 20;
  int64_t load_timeout_ms = 0;  // 0: the default.
  bool has_getter = true;
};

class Member {
 public:
  virtual ~Member() = default;  // Closes the member; getters must be able to end.
  virtual Answer NewGroup(const std::string& name, const GroupSpec& spec) = 0;
  // The group of that name; after CloseGroup as well.
  virtual Group& FindGroup(const std::string& name) = 0;
  virtual Answer CloseGroup(const std::string& name) = 0;
  virtual std::string Listen(const std::string& address) = 0;
  virtual void StopListening() = 0;
  virtual Answer SetPeers(const std::vector<std::string>& addresses, const std::string& self) = 0;
  virtual std::string Owner(std::string_view key) = 0;
  virtual void Close() = 0;  // Without any time for what is under way.
};

// What a face cannot do: cases whose name or steps contain `what`.
struct Skip {
  std::string what;
  std::string reason;
};

using NewMember = std::function<std::unique_ptr<Member>(int number, StandardGetter& getter)>;

struct Face {
  std::string name;
  std::function<NewMember()> begin;  // The members of one case.
  std::vector<Skip> skips;
  bool peers_only = false;  // Only cases of several members: the others say nothing new.
};

// cohort.hpp over HTTP, with getters that return values; with getters that end their loads later, and gets as futures.
// Then over the other transports: in the process, mounted on a server of the program's own, and as calls.
std::vector<Face> CppFaces();
Face CallbackFace();  // cohort.h, callbacks
Face QueueFace();     // cohort.h, one queue and a thread that takes its events

}  // namespace behaviours

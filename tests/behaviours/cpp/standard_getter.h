// StandardGetter is what every group of a case has: it counts its runs, lets keys hang until they are released, and
// plans by the key what is to be answered. tests/behaviours/README.md has the table.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace behaviours {

// What a getter is to do.
struct Plan {
  enum class Kind {
    kValue,     // Answer `bytes`, expiring at `expire_unix_ns`.
    kNotFound,  // Say `bytes`.
    kFail,      // Say `bytes`.
    kPanic,     // Say `bytes`, in the worst way.
    kDrop,      // Let go of the load.
    kGet        // Get `key` from `group`, and pass on what comes.
  };
  Kind kind = Kind::kValue;
  std::string bytes;
  int64_t expire_unix_ns = 0;
  std::string group;
  std::string key;
  int64_t timeout_ms = 0;
};

class StandardGetter {
 public:
  // Counts a run; calls `then` with the plan, at once or when the key is released.
  void Begin(int node, const std::string& group, const std::string& key, std::function<void(Plan)> then);
  // The same, for getters that may block.
  Plan Wait(int node, const std::string& group, const std::string& key);

  void Release(const std::string& key);
  void ReleaseAll();  // For good.

  static constexpr int kAnyNode = -1;
  int64_t Count(int node, const std::string& group, const std::string& key);
  bool WaitForCount(int node, const std::string& group, const std::string& key, int64_t count,
                    std::chrono::milliseconds patience);

 private:
  static Plan Make(const std::string& group, const std::string& key, std::string_view rest, int64_t run);
  int64_t CountLocked(int node, const std::string& group, const std::string& key) const;

  std::mutex mutex_;
  std::condition_variable counted_;
  std::map<std::tuple<std::string, std::string, int>, int64_t> runs_;  // by group, key, node
  std::set<std::string> released_;
  bool all_released_ = false;
  std::vector<std::pair<std::string, std::function<void()>>> hanging_;  // by key
};

int64_t NowUnixNs();

}  // namespace behaviours

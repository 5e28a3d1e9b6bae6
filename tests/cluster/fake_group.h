// FakeGroup is a group that serves peers, for the cluster's tests: a key's name says how its load ends, or that the
// test ends it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/fakes.h"
#include "cluster/service.h"

namespace cohort {

// Answers as the node that the vectors were recorded from: keys say how their load ends.
class FakeGroup final : public ServedGroup {
 public:
  explicit FakeGroup(FakeClock& clock) : clock_(clock) {}

  void ServeHits(const std::string_view* keys, size_t count, ValueRef* found) override {
    for (size_t i = 0; i < count; ++i) {
      const auto kept = kept_.find(std::string(keys[i]));
      if (kept != kept_.end() && !kept->second->ExpiredAt(clock_.unix_ns)) found[i] = kept->second;
    }
  }
  uint64_t ServeGet(std::string_view key, int64_t timeout_ms, UniqueFunction<void(Answer)> done) override {
    last_timeout_ms = timeout_ms;
    const std::string name(key);
    if (name.rfind("held", 0) == 0) {
      held.emplace_back(name, std::move(done));
      return held.size();
    }
    done(Load(name));
    return 0;
  }
  void ServeCancel(uint64_t wait) override {
    cancelled.push_back(wait);
    held_when_cancelled = held.size();
  }
  void ServeSet(std::string_view key, std::string_view value, int64_t expire_unix_ns, bool from_cohort) override {
    kept_[std::string(key)] = Value::Copy(key, value, expire_unix_ns);
    last_expire_unix_ns = expire_unix_ns;
    last_from_cohort = from_cohort;
    ++sets;
  }
  void ServeRemove(std::string_view key) override {
    kept_.erase(std::string(key));
    removed.emplace_back(key);
  }

  static Answer Load(const std::string& key) {
    if (key.rfind("missing", 0) == 0) return {Status(Code::kNotFound, "not found: " + key), {}, true};
    if (key.rfind("fail", 0) == 0) return {Status(Code::kLoadFailed, "load failed: " + key), {}, true};
    if (key.rfind("closed", 0) == 0) return {Status(Code::kClosed, "this node is closing"), {}, true};
    if (key.rfind("empty", 0) == 0) return {Status(), Value::Copy(key, "", 0), true};
    if (key.rfind("overtaken", 0) == 0) return {Status(), Value::Copy(key, "old", kStartUnixNs + kSecondNs), false};
    if (key.rfind("short", 0) == 0) return {Status(), Value::Copy(key, "s", kStartUnixNs + 1'500'700'000), true};
    if (key.rfind("large", 0) == 0) return {Status(), Value::Copy(key, std::string(20 << 20, 'x'), 0), true};
    return {Status(), Value::Copy(key, "n1:" + key, 0), true};
  }

  void Keep(const std::string& key, ValueRef value) { kept_[key] = std::move(value); }

  std::vector<std::pair<std::string, UniqueFunction<void(Answer)>>> held;
  std::vector<uint64_t> cancelled;
  size_t held_when_cancelled = 0;
  std::vector<std::string> removed;
  int64_t last_timeout_ms = -1;
  int64_t last_expire_unix_ns = -1;
  bool last_from_cohort = false;
  int sets = 0;

 private:
  FakeClock& clock_;
  std::map<std::string, ValueRef> kept_;
};

class FakeGroups final : public ServedGroups {
 public:
  std::shared_ptr<ServedGroup> FindServed(std::string_view name) override {
    return name == "g" || name == "_cohort" ? group : nullptr;
  }
  std::shared_ptr<FakeGroup> group;
};

}  // namespace cohort

// Any request is answered once, with a status that the wire knows. The input is lines: method, target, header lines up
// to an empty one; the rest is the body.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "cluster/service.h"

namespace {

using namespace cohort;  // NOLINT(google-build-using-namespace)

void Check(bool holds) {
  if (!holds) std::abort();
}

// Time stands, and nothing runs later.
class StandingRuntime final : public Runtime, Clock, Timers, Executor, Random {
 public:
  Clock& clock() override { return *this; }
  Timers& timers() override { return *this; }
  Executor& executor() override { return *this; }
  Random& random() override { return *this; }
  void Stop() override {}

 private:
  int64_t UnixNs() const override { return int64_t{1'700'000'000'000'000'000}; }
  int64_t MonotonicNs() const override { return 1; }
  TimerId After(int64_t, Task) override { return 0; }
  bool Cancel(TimerId) override { return false; }
  void Post(Task) override {}
  void PostBlocking(Task) override {}
  uint64_t Next() override { return 7; }
};

// The key's first letter says how its load ends.
class FuzzGroup final : public ServedGroup {
 public:
  void ServeHits(const std::string_view* keys, size_t count, ValueRef* found) override {
    for (size_t i = 0; i < count; ++i) {
      if (keys[i].size() % 4 == 3) found[i] = Value::Copy(keys[i], keys[i], 0);
    }
  }
  uint64_t ServeGet(std::string_view key, int64_t timeout_ms, UniqueFunction<void(Answer)> done) override {
    const char first = key.empty() ? 'v' : key[0];
    if (first == 'm') {
      done({Status(Code::kNotFound, std::string(key)), {}, true});
    } else if (first == 'f') {
      done({Status(Code::kLoadFailed, std::string(key)), {}, true});
    } else if (first == 'x') {
      done({Status(Code::kInternal, std::string(key)), {}, true});
    } else {
      done({Status(), Value::Copy(key, key, first == 'e' ? timeout_ms : 0), first != 'o'});
    }
    return 0;
  }
  void ServeCancel(uint64_t) override {}
  void ServeSet(std::string_view key, std::string_view value, int64_t expire_unix_ns, bool) override {
    Value::Copy(key, value, expire_unix_ns);
  }
  void ServeRemove(std::string_view) override {}
};

class FuzzGroups final : public ServedGroups {
 public:
  std::shared_ptr<ServedGroup> FindServed(std::string_view name) override { return name == "no" ? nullptr : group_; }

 private:
  std::shared_ptr<ServedGroup> group_ = std::make_shared<FuzzGroup>();
};

std::string TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string line(text->substr(0, end));
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Request request;
  request.method = TakeLine(&text);
  request.target = TakeLine(&text);
  for (std::string line = TakeLine(&text); !line.empty(); line = TakeLine(&text)) {
    const size_t colon = line.find(':');
    if (colon != std::string::npos) request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
  request.body = text;

  StandingRuntime runtime;
  const auto groups = std::make_shared<FuzzGroups>();
  int answers = 0;
  Service service("/_groupcache/", groups, runtime);
  service.Handle(std::move(request), [&](const ServedResponse& response) {
    ++answers;
    const int status = response.status;
    Check(status == 200 || status == 307 || status == 400 || status == 404 || status == 405 || status == 500 ||
          status == 503);
    Check(FindHeader(response.headers, "Cohort") != nullptr);
    for (const auto& [name, value] : response.headers) {
      Check(value.find_first_of("\r\n") == std::string::npos);
    }
  });
  Check(answers == 1);
  return 0;
}

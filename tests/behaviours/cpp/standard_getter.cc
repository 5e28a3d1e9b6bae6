#include "behaviours/cpp/standard_getter.h"

#include <algorithm>
#include <future>
#include <memory>

namespace behaviours {
namespace {

bool Strip(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

int64_t Number(std::string_view text) { return std::stoll(std::string(text.substr(0, text.find('-', 1)))); }

}  // namespace

int64_t NowUnixNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Plan StandardGetter::Make(const std::string& group, const std::string& key, std::string_view rest, int64_t run) {
  Plan plan;
  plan.bytes = group + ":" + key;
  if (Strip(rest, "missing-")) {
    plan.kind = Plan::Kind::kNotFound;
    plan.bytes = "not found: " + key;
  } else if (Strip(rest, "fail-")) {
    plan.kind = Plan::Kind::kFail;
    plan.bytes = "load failed: " + key;
  } else if (Strip(rest, "panic-")) {
    plan.kind = Plan::Kind::kPanic;
    plan.bytes = "panic: " + key;
  } else if (Strip(rest, "drop-")) {
    plan.kind = Plan::Kind::kDrop;
  } else if (Strip(rest, "empty-")) {
    plan.bytes.clear();
  } else if (Strip(rest, "size-")) {
    plan.bytes.assign(static_cast<size_t>(Number(rest)), '.');
  } else if (Strip(rest, "exp-")) {
    plan.expire_unix_ns = NowUnixNs() + Number(rest) * 1'000'000;
  } else if (Strip(rest, "count-")) {
    plan.bytes += "#" + std::to_string(run);
  } else if (Strip(rest, "other-")) {
    plan.kind = Plan::Kind::kGet;
    plan.group = "h";
    plan.key = std::string(rest);
  } else if (Strip(rest, "self-")) {
    plan.kind = Plan::Kind::kGet;
    plan.group = group;
    plan.key = key;
    plan.timeout_ms = 500;
  }
  return plan;
}

void StandardGetter::Begin(int node, const std::string& group, const std::string& key, std::function<void(Plan)> then) {
  std::string_view rest = key;
  const bool hangs = Strip(rest, "hang-");
  auto go_on = [=, then = std::move(then), rest = std::string(rest)](int64_t run) {
    then(Make(group, key, rest, run));
  };
  int64_t run = 0;
  {
    std::lock_guard lock(mutex_);
    ++runs_[{group, key, node}];
    run = CountLocked(kAnyNode, group, key);
    counted_.notify_all();
    if (hangs && !all_released_ && released_.count(key) == 0) {
      hanging_.emplace_back(key, [=, go_on = std::move(go_on)] { go_on(run); });
      return;
    }
  }
  go_on(run);
}

Plan StandardGetter::Wait(int node, const std::string& group, const std::string& key) {
  const auto promise = std::make_shared<std::promise<Plan>>();
  Begin(node, group, key, [promise](Plan plan) { promise->set_value(std::move(plan)); });
  return promise->get_future().get();
}

void StandardGetter::Release(const std::string& key) {
  std::vector<std::pair<std::string, std::function<void()>>> going;
  {
    std::lock_guard lock(mutex_);
    released_.insert(key);
    const auto middle =
        std::stable_partition(hanging_.begin(), hanging_.end(), [&](const auto& each) { return each.first != key; });
    going.assign(std::make_move_iterator(middle), std::make_move_iterator(hanging_.end()));
    hanging_.erase(middle, hanging_.end());
  }
  for (auto& each : going) each.second();
}

void StandardGetter::ReleaseAll() {
  std::vector<std::pair<std::string, std::function<void()>>> going;
  {
    std::lock_guard lock(mutex_);
    all_released_ = true;
    going.swap(hanging_);
  }
  for (auto& each : going) each.second();
}

int64_t StandardGetter::CountLocked(int node, const std::string& group, const std::string& key) const {
  int64_t count = 0;
  for (auto it = runs_.lower_bound({group, key, kAnyNode}); it != runs_.end(); ++it) {
    if (std::get<0>(it->first) != group || std::get<1>(it->first) != key) break;
    if (node == kAnyNode || std::get<2>(it->first) == node) count += it->second;
  }
  return count;
}

int64_t StandardGetter::Count(int node, const std::string& group, const std::string& key) {
  std::lock_guard lock(mutex_);
  return CountLocked(node, group, key);
}

bool StandardGetter::WaitForCount(int node, const std::string& group, const std::string& key, int64_t count,
                                  std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return counted_.wait_for(lock, patience, [&] { return CountLocked(node, group, key) >= count; });
}

}  // namespace behaviours

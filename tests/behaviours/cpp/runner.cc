#include "behaviours/cpp/runner.h"

#include <map>
#include <stdexcept>
#include <thread>

#include "behaviours/cpp/expectation.h"
#include "behaviours/cpp/standard_getter.h"

namespace behaviours {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr int64_t kNsPerMs = 1'000'000;

// Not found as it should be.
[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error(what); }

int64_t Counter(Group& group, const std::string& field) {
  const cohort_group_stats_t all = group.Stats();
  const cohort_cache_stats_t main = group.CacheStats(COHORT_TIER_MAIN);
  const cohort_cache_stats_t hot = group.CacheStats(COHORT_TIER_HOT);
  const std::map<std::string, int64_t> fields = {
      {"gets", all.gets},
      {"cache_hits", all.cache_hits},
      {"loads", all.loads},
      {"loads_deduped", all.loads_deduped},
      {"local_loads", all.local_loads},
      {"local_load_errors", all.local_load_errors},
      {"peer_loads", all.peer_loads},
      {"peer_errors", all.peer_errors},
      {"remove_keys_requests", all.remove_keys_requests},
      {"removed_keys", all.removed_keys},
      {"main_bytes", main.bytes},
      {"hot_bytes", hot.bytes},
      {"main_items", main.items},
      {"hot_items", hot.items},
  };
  const auto found = fields.find(field);
  if (found == fields.end()) Fail("no counter is called " + field);
  return found->second;
}

// One case on its way.
class Run {
 public:
  Run(const Face& face, const json& a_case, milliseconds patience) : patience_(patience) {
    spec_.cache_bytes = a_case.value("cache_bytes", spec_.cache_bytes);
    spec_.load_timeout_ms = a_case.value("load_timeout_ms", spec_.load_timeout_ms);
    const std::vector<int> without = a_case.value("no_getter_on", std::vector<int>());
    const int nodes = a_case.value("nodes", 1);
    const NewMember new_member = face.begin();
    for (int i = 0; i < nodes; ++i) {
      members_.push_back(new_member(i, getter_));
      GroupSpec spec = spec_;
      for (const int each : without) spec.has_getter = spec.has_getter && each != i;
      for (const char* name : {"g", "h"}) Check({{"ok", true}}, members_.back()->NewGroup(name, spec));
      if (nodes > 1) addresses_.push_back(members_.back()->Listen("127.0.0.1:0"));
    }
    for (size_t i = 0; i < addresses_.size(); ++i) {
      Check({{"ok", true}}, members_[i]->SetPeers(addresses_, addresses_[i]));
    }
  }

  ~Run() {
    getter_.ReleaseAll();
    for (auto& [name, started] : started_) {
      for (Pending& pending : started) {
        pending.cancel();
        if (pending.answer.valid()) pending.answer.wait();
      }
    }
    for (auto& [node, closing] : closing_) {
      if (closing.valid()) closing.wait();
    }
    members_.clear();
  }

  void Do(const json& step) {
    using Action = void (Run::*)(const json&);
    static const std::map<std::string, Action> kActions = {
        {"get", &Run::Get},
        {"get_many", &Run::GetMany},
        {"peek", &Run::Peek},
        {"set", &Run::Set},
        {"remove", &Run::Remove},
        {"remove_keys", &Run::RemoveKeys},
        {"start", &Run::Start},
        {"await", &Run::Await},
        {"cancel", &Run::Cancel},
        {"release", &Run::Release},
        {"wait_loading", &Run::WaitLoading},
        {"wait_gone", &Run::WaitGone},
        {"loads", &Run::Loads},
        {"stats", &Run::Stats},
        {"reset_cache", &Run::ResetCache},
        {"new_group", &Run::NewGroup},
        {"close_group", &Run::CloseGroup},
        {"close", &Run::Close},
        {"closed", &Run::Closed},
        {"stop_listening", &Run::StopListening},
        {"listen", &Run::Listen},
        {"set_peers", &Run::SetPeers},
        {"owned_key", &Run::OwnedKey},
    };
    const auto action = kActions.find(step.at("do"));
    if (action == kActions.end()) Fail("no step is called " + step["do"].dump());
    (this->*action->second)(step);
  }

 private:
  static int Node(const json& step) { return step.value("node", 0); }
  Member& MemberOf(const json& step) { return *members_.at(static_cast<size_t>(Node(step))); }
  static std::string GroupName(const json& step) { return step.value("group", "g"); }
  Group& GroupOf(const json& step) { return MemberOf(step).FindGroup(GroupName(step)); }
  std::string Key(const json& step) { return BytesOf(step.at("key"), names_); }
  std::vector<std::string> Keys(const json& step) {
    std::vector<std::string> keys;
    for (const json& key : step.at("keys")) keys.push_back(BytesOf(key, names_));
    return keys;
  }
  static int64_t Timeout(const json& step) { return step.value("timeout_ms", 0); }

  void Check(const json& expected, const Answer& answer) {
    if (const std::string wrong = Mismatch(expected, answer, names_); !wrong.empty()) Fail(wrong);
  }
  void CheckDone(const json& step, const Answer& answer) { Check(step.value("expect", json{{"ok", true}}), answer); }
  template <typename Condition>
  void WaitUntil(Condition condition, const std::function<std::string()>& otherwise) {
    const auto end = std::chrono::steady_clock::now() + patience_;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) Fail(otherwise());
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  void Get(const json& step) { Check(step.at("expect"), GroupOf(step).Get(Key(step), Timeout(step))); }
  void GetMany(const json& step) {
    const std::vector<std::string> keys = Keys(step);
    const std::vector<Answer> answers = GroupOf(step).GetMany(keys, Timeout(step));
    if (step.contains("expect_all")) {
      for (const Answer& answer : answers) Check(step["expect_all"], answer);
      return;
    }
    if (answers.size() != keys.size() || keys.size() != step.at("expect").size()) {
      Fail(std::to_string(answers.size()) + " answers for " + std::to_string(keys.size()) + " keys");
    }
    for (size_t i = 0; i < keys.size(); ++i) Check(step["expect"][i], answers[i]);
  }
  void Peek(const json& step) { Check(step.at("expect"), GroupOf(step).Peek(Key(step))); }
  void Set(const json& step) {
    const int64_t expire = step.contains("expire_ms") ? NowUnixNs() + step["expire_ms"].get<int64_t>() * kNsPerMs : 0;
    std::string value = BytesOf(step.at("value"), names_);
    CheckDone(step, GroupOf(step).Set(Key(step), value, expire, Timeout(step)));
    if (step.value("scribble", false)) value.assign(value.size(), '!');
  }
  void Remove(const json& step) { CheckDone(step, GroupOf(step).Remove(Key(step), Timeout(step))); }
  void RemoveKeys(const json& step) { CheckDone(step, GroupOf(step).RemoveKeys(Keys(step), Timeout(step))); }
  void Start(const json& step) {
    std::vector<Pending>& started = started_[step.at("as")];
    for (int i = step.value("count", 1); i > 0; --i) started.push_back(GroupOf(step).Start(Key(step), Timeout(step)));
  }
  std::vector<Pending>& Started(const json& step) {
    const auto found = started_.find(step.at("as"));
    if (found == started_.end()) Fail("nothing was started as " + step["as"].dump());
    return found->second;
  }
  void Await(const json& step) {
    for (Pending& pending : Started(step)) {
      if (pending.answer.wait_for(patience_) != std::future_status::ready) Fail("it does not end");
      Check(step.at("expect"), pending.answer.get());
    }
    started_.erase(step["as"]);
  }
  void Cancel(const json& step) {
    for (Pending& pending : Started(step)) pending.cancel();
  }
  void Release(const json& step) { getter_.Release(Key(step)); }
  void WaitLoading(const json& step) {
    const int node = step.value("node", StandardGetter::kAnyNode);
    if (!getter_.WaitForCount(node, GroupName(step), Key(step), step.at("count"), patience_)) {
      Fail("the getter was entered " + std::to_string(getter_.Count(node, GroupName(step), Key(step))) + " times");
    }
  }
  void WaitGone(const json& step) {
    WaitUntil([&] { return GroupOf(step).Peek(Key(step)).miss; }, [] { return "it is still there"; });
  }
  void Loads(const json& step) {
    const int64_t count = getter_.Count(step.value("node", StandardGetter::kAnyNode), GroupName(step), Key(step));
    if (count != step.at("count")) Fail(std::to_string(count) + " loads instead of " + step["count"].dump());
  }
  void Stats(const json& step) {
    const std::string field = step.at("field");
    int64_t is = 0;
    WaitUntil(
        [&] {
          is = Counter(GroupOf(step), field);
          return step.contains("value") ? is == step["value"] : is >= step.at("at_least");
        },
        [&] { return field + " is " + std::to_string(is); });
  }
  void ResetCache(const json& step) { CheckDone(step, GroupOf(step).ResetCache(step.at("cache_bytes"))); }
  void NewGroup(const json& step) { CheckDone(step, MemberOf(step).NewGroup(BytesOf(step.at("name"), names_), spec_)); }
  void CloseGroup(const json& step) { CheckDone(step, MemberOf(step).CloseGroup(GroupName(step))); }
  void Close(const json& step) {
    Member& member = MemberOf(step);
    closing_[Node(step)] = std::async(std::launch::async, [&member] { member.Close(); });
  }
  void Closed(const json& step) {
    if (closing_.at(Node(step)).wait_for(patience_) != std::future_status::ready) Fail("closing does not end");
    closing_[Node(step)].get();
  }
  void StopListening(const json& step) { MemberOf(step).StopListening(); }
  void Listen(const json& step) { MemberOf(step).Listen(addresses_.at(static_cast<size_t>(Node(step)))); }
  void SetPeers(const json& step) {
    std::vector<std::string> peers;
    for (const size_t each : step.at("peers")) peers.push_back(addresses_.at(each));
    CheckDone(step, MemberOf(step).SetPeers(peers, addresses_.at(static_cast<size_t>(Node(step)))));
  }
  void OwnedKey(const json& step) {
    const std::string owner = addresses_.at(step.at("owner").get<size_t>());
    constexpr int kMostTries = 1'000'000;
    for (; tries_ < kMostTries; ++tries_) {
      // What differs only at its end lies close together on the ring.
      const std::string key = step.at("prefix").get<std::string>() + std::to_string(tries_ * 7919) + "-key";
      if (MemberOf(step).Owner(key) != owner) continue;
      ++tries_;
      vars_[step.at("as")] = key;
      return;
    }
    Fail("no key is owned by " + owner);
  }

  const milliseconds patience_;
  GroupSpec spec_;
  StandardGetter getter_;  // Outlives the members.
  std::vector<std::string> addresses_;
  std::map<std::string, std::string> vars_;
  const Names names_{[this](const std::string& name) { return vars_.at(name); },
                     [this](int node) { return addresses_.at(static_cast<size_t>(node)); }};
  std::vector<std::unique_ptr<Member>> members_;
  std::map<std::string, std::vector<Pending>> started_;
  std::map<int, std::future<void>> closing_;
  int tries_ = 0;
};

}  // namespace

std::optional<std::string> Skipped(const Face& face, const json& a_case) {
  for (const Skip& skip : face.skips) {
    if (a_case.dump().find(skip.what) != std::string::npos) return skip.reason;
  }
  return std::nullopt;
}

std::optional<Failure> RunCase(const Face& face, const json& a_case, milliseconds patience) {
  size_t number = 0;
  try {
    Run run(face, a_case, patience);
    for (const json& step : a_case.at("steps")) {
      ++number;
      run.Do(step);
    }
    number = 0;
  } catch (const std::exception& failure) {
    const std::string step = number > 0 ? a_case["steps"][number - 1].dump().substr(0, 300) : "";
    return Failure{number, a_case["name"].get<std::string>() + ", step " + std::to_string(number) + " " + step + ": " +
                               failure.what()};
  }
  return std::nullopt;
}

}  // namespace behaviours

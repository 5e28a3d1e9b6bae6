#include "sim/model.h"

#include <algorithm>

namespace cohort::sim {
namespace {

constexpr size_t kMostViolations = 8;

}  // namespace

Model::Model(World& world, ModelOptions options, std::vector<std::string> keys)
    : world_(world),
      options_(options),
      keys_(std::move(keys)),
      changes_of_key_(keys_.size()),
      last_run_of_key_(keys_.size()) {
  for (size_t i = 0; i < keys_.size(); ++i) key_numbers_[keys_[i]] = static_cast<int>(i);
  members_.emplace_back();  // 0 is nobody.
}

int Model::KeyOf(const std::string& key) const {
  const auto found = key_numbers_.find(key);
  return found == key_numbers_.end() ? kNoKey : found->second;
}

Model::Id Model::ReadMark(std::string_view text) {
  const size_t at = text.find("<#");
  if (at == std::string_view::npos) return 0;
  Id id = 0;
  for (size_t i = at + 2; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    id = id * 10 + static_cast<Id>(text[i] - '0');
  }
  return id;
}

void Model::Broken(Promise promise, int member, int key, const std::string& what) {
  world_.Note(NodeOf(member), "BROKEN", key);
  if (violations_.size() >= kMostViolations) return;
  std::string text = std::string(NameOf(promise)) + " at " + std::to_string(world_.now_ns() / kUs) + " us";
  if (member != 0) text += ", node " + std::to_string(NodeOf(member));
  if (key != kNoKey) text += ", key " + std::to_string(key);
  violations_.push_back({promise, text + ": " + what});
}

int Model::AddMember(int node, bool has_getter, int64_t poll_ns) {
  Member member;
  member.node = node;
  member.has_getter = has_getter;
  member.poll_ns = poll_ns;
  members_.push_back(member);
  return static_cast<int>(members_.size()) - 1;
}

// ---- gets

Model::Id Model::BeginGet(int member, int key, bool by_queue, int64_t timeout_ms) {
  const Id id = ++last_id_;
  Get get;
  get.member = member;
  get.key = key;
  get.by_queue = by_queue;
  get.begun = world_.Tick();
  get.begun_ns = world_.now_ns();
  if (timeout_ms > 0) get.deadline_ns = get.begun_ns + timeout_ms * kMs;
  SeenAt(member, key).flights_ns.push_back(get.begun_ns);
  gets_.emplace(id, get);
  world_.Note(NodeOf(member), by_queue ? "get begins (queue)" : "get begins", key, static_cast<int64_t>(id),
              timeout_ms);
  return id;
}

void Model::CancelGet(Id get) {
  const auto found = gets_.find(get);
  if (found == gets_.end()) return;
  found->second.cancelled = true;
  world_.Note(NodeOf(found->second.member), "get is cancelled", found->second.key, static_cast<int64_t>(get));
}

void Model::EndGet(Id id, const Outcome& outcome, int64_t unix_now_ns) {
  const auto found = gets_.find(id);
  if (found == gets_.end()) {
    Broken(Promise::kP4, 0, kNoKey, "get #" + std::to_string(id) + " ended twice");
    return;
  }
  const Get get = found->second;
  gets_.erase(found);
  ended_gets_.insert(id);
  ++gets_ended_;
  const bool hit = outcome.source == Source::kMain || outcome.source == Source::kHot;
  hits_ += hit ? 1 : 0;
  world_.Note(
      NodeOf(get.member), outcome.ok() ? (hit ? "get hits" : "get ends") : "get fails", get.key,
      static_cast<int64_t>(id),
      outcome.ok() ? static_cast<int64_t>(ReadMark(outcome.value->bytes())) : static_cast<int64_t>(outcome.code));
  if (hit && outcome.value->ExpiredAt(unix_now_ns)) {
    Broken(Promise::kExpiry, get.member, get.key, "get #" + std::to_string(id) + " hit a value that has expired");
  }
  CheckEnd(get, outcome);
}

void Model::LeadGet(Id id) {
  const auto found = gets_.find(id);
  if (found == gets_.end()) {
    Broken(Promise::kP4, 0, kNoKey, "get #" + std::to_string(id) + " came to lead after its end");
    return;
  }
  const Get get = found->second;
  gets_.erase(found);
  ended_gets_.insert(id);
  ++gets_ended_;
  world_.Note(NodeOf(get.member), "get leads", get.key, static_cast<int64_t>(id));
  CheckLate(get);
}

void Model::MissGet(Id id) {
  gets_.erase(id);
  ended_gets_.insert(id);
  ++gets_ended_;
}

std::vector<Model::Id> Model::Waiting(int member) const {
  std::vector<Id> waiting;
  for (const auto& [id, get] : gets_) {
    if (get.member == member) waiting.push_back(id);
  }
  return waiting;
}

// ---- runs

void Model::EndRun(Id id, RunEnd end) {
  Run& run = runs_.at(id);
  run.load = nullptr;
  run.end = end;
  run.ended = world_.Tick();
  run.ended_ns = world_.now_ns();
  --runs_open_;
  constexpr const char* kEnds[] = {"getter completes", "getter fails", "getter finds nothing", "getter abandons",
                                   "getter gives up"};
  world_.Note(NodeOf(run.member), kEnds[static_cast<int>(end)], run.key, static_cast<int64_t>(id));
}

// ---- changes

Model::Id Model::BeginChange(int member, ChangeKind kind, std::vector<int> keys, int64_t timeout_ms) {
  const Id id = ++last_id_;
  Change change;
  change.member = member;
  change.kind = kind;
  change.keys = std::move(keys);
  change.begun = world_.Tick();
  change.begun_ns = world_.now_ns();
  change.timeout_ns = timeout_ms * kMs;
  constexpr const char* kBegins[] = {"set begins", "remove begins", "remove-keys begins"};
  for (const int key : change.keys) {
    changes_of_key_[static_cast<size_t>(key)].push_back(id);
    world_.Note(NodeOf(member), kBegins[static_cast<int>(kind)], key, static_cast<int64_t>(id), timeout_ms);
    if (kind == ChangeKind::kSet) Acquire(member, key, id, change.begun);
  }
  changes_.emplace(id, std::move(change));
  ++changes_open_;
  return id;
}

// ---- the network

void Model::Acquire(int member, int key, Id origin, uint64_t begun) {
  uint64_t& newest = SeenAt(member, key).acquired[origin];
  newest = std::max(newest, begun);
}

uint64_t Model::OnSend(const Question& question) {
  const uint64_t sent = world_.Tick();
  const std::string& method = question.request.method;
  const int key = question.asked.empty() ? kNoKey : KeyOf(question.asked.front().key);
  world_.Note(NodeOf(question.sender), method == "GET" ? "asks a peer" : "orders a peer", key,
              static_cast<int64_t>(sent));
  if (world_.cause() != kNoCause) {
    Broken(Promise::kP3, question.sender, key,
           "it sent " + method + " to " + question.to + " because of request #" + std::to_string(world_.cause()) +
               " of a peer");
  }
  return sent;
}

uint64_t Model::OnArrival(int receiver, const Question& question, int copy) {
  const uint64_t arrived = world_.Tick();
  const auto sent = static_cast<int64_t>(question.sent);
  for (const Asked& asked : question.asked) {
    const int key = KeyOf(asked.key);
    if (key == kNoKey) continue;
    switch (asked.op) {
      case Asked::Op::kGet:
        world_.Note(NodeOf(receiver), "is asked", key, sent, copy);
        SeenAt(receiver, key).flights_ns.push_back(world_.now_ns());
        break;
      case Asked::Op::kSet: {
        world_.Note(NodeOf(receiver), "is told to set", key, sent, copy);
        const Id origin = ReadMark(asked.value);
        Acquire(receiver, key, origin, arrived);
        const auto change = changes_.find(origin);
        if (copy != 0 && change != changes_.end()) change->second.came_twice = true;
        break;
      }
      case Asked::Op::kRemove:
        world_.Note(NodeOf(receiver), "is told to remove", key, sent, copy);
        break;
    }
  }
  return arrived;
}

void Model::OnAnswered(int receiver, const Question& question, uint64_t arrived, const Response& response) {
  const std::vector<Said> said = ReadSaid(question.request, response);
  const auto check = [&](int key, const Said& end, uint64_t since) {
    if (const Id origin = ReadMark(end.end)) CheckValue(receiver, key, origin, since, "a peer's get");
  };
  if (question.asked.empty()) {
    for (const Said& end : said) {
      const auto owed = owed_.find({receiver, end.ticket});
      if (owed == owed_.end()) {
        Broken(Promise::kP4, receiver, kNoKey, "it answered a ticket that it had not given");
      } else {
        check(owed->second.key, end, owed->second.since);
      }
    }
    return;
  }
  if (said.empty()) return;
  for (size_t i = 0; i < question.asked.size(); ++i) {
    const int key = KeyOf(question.asked[i].key);
    if (key == kNoKey) continue;
    const Said& end = said.size() == question.asked.size() ? said[i] : said.front();
    if (question.asked[i].op != Asked::Op::kGet) {
      SeenAt(receiver, key).drops.push_back({arrived, world_.Tick(), world_.now_ns()});
    } else if (end.later) {
      owed_[{receiver, end.ticket}] = {key, arrived};
    } else {
      check(key, end, arrived);
    }
  }
}

void Model::OnAnswer(const Question& question, const Response& response) {
  const int asker = question.sender;
  const std::vector<Said> said = ReadSaid(question.request, response);
  if (question.asked.empty()) {
    // The batch's own answer may still be on its way.
    for (const Said& end : said) {
      const auto awaited = awaited_.find({asker, end.ticket});
      const Id origin = ReadMark(end.end);
      if (origin == 0) continue;
      if (awaited != awaited_.end()) {
        Acquire(asker, awaited->second.key, origin, awaited->second.since);
      } else {
        early_[{asker, end.ticket}] = origin;
      }
    }
    return;
  }
  if (said.size() != question.asked.size()) return;
  for (size_t i = 0; i < said.size(); ++i) {
    const int key = KeyOf(question.asked[i].key);
    if (question.asked[i].op != Asked::Op::kGet || key == kNoKey) continue;
    if (said[i].later) {
      awaited_[{asker, said[i].ticket}] = {key, question.sent};
      const auto early = early_.find({asker, said[i].ticket});
      if (early != early_.end()) Acquire(asker, key, early->second, question.sent);
    } else if (const Id origin = ReadMark(said[i].end)) {
      Acquire(asker, key, origin, question.sent);
    }
  }
}

void Model::OnBadAnswer(int receiver, const Question& question, const char* what) {
  Broken(Promise::kP4, receiver, kNoKey, "the request " + question.request.method + " of a peer was " + what);
}

}  // namespace cohort::sim

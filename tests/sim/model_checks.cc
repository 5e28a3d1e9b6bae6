// What the model checks, promise by promise.
#include <algorithm>
#include <string>

#include "sim/model.h"

namespace cohort::sim {
namespace {

std::string Number(Model::Id id) { return "#" + std::to_string(id); }

// How long a flight may be under way before its getter starts, where nobody else is asked first.
constexpr int64_t kStartNs = 200 * kMs;

}  // namespace

// ---- P1

// Whether the member may have forgotten the key since then: a drop that the model saw, or a change of its own under
// way.
bool Model::MayHaveDropped(int member, int key, int64_t since_ns) const {
  const auto seen = seen_.find({member, key});
  if (seen != seen_.end()) {
    for (const Drop& drop : seen->second.drops) {
      if (drop.until_ns >= since_ns) return true;
    }
  }
  for (const Id id : changes_of_key_[static_cast<size_t>(key)]) {
    const Change& change = changes_.at(id);
    if (change.member == member && (change.ended == 0 || change.ended_ns >= since_ns)) return true;
  }
  return false;
}

Model::Id Model::BeginRun(int member, int key, const Load* load, bool owned) {
  const Id id = ++last_id_;
  Run run;
  run.member = member;
  run.key = key;
  run.begun = world_.Tick();
  run.begun_ns = world_.now_ns();
  run.load = load;
  ++runs_open_;
  world_.Note(NodeOf(member), "getter runs", key, static_cast<int64_t>(id));

  Seen& seen = SeenAt(member, key);
  const int64_t start_ns = owned ? kStartNs + members_[static_cast<size_t>(member)].poll_ns : options_.load_timeout_ns;
  run.flight_ns = run.begun_ns - start_ns;
  // A run may be the next attempt of a flight whose last one did not bring a value.
  for (const Id other : seen.runs) {
    const Run& before = runs_.at(other);
    if (before.load == nullptr && before.end != RunEnd::kCompleted && before.ended_ns >= run.begun_ns - start_ns) {
      run.flight_ns = std::min(run.flight_ns, before.flight_ns);
    }
  }
  // Where rings change, a peer's misrouted get has a flight of its own beside that of the member's own gets.
  for (const Id other : seen.runs) {
    const Run& before = runs_.at(other);
    if (!options_.stable_ring || before.load == nullptr || before.load->Cancelled()) continue;
    if (!MayHaveDropped(member, key, std::min(run.flight_ns, before.flight_ns))) {
      Broken(Promise::kP1, member, key,
             "run " + Number(id) + " began while run " + Number(other) + " was loading the key");
    }
  }
  seen.runs.push_back(id);

  Id& last = last_run_of_key_[static_cast<size_t>(key)];
  if (options_.calm && !owned) Broken(Promise::kP1, member, key, "run " + Number(id) + " is not at the key's owner");
  if (options_.calm && last != 0) {
    const int64_t since_ns = runs_.at(last).flight_ns;
    bool changed = false;
    for (const Id change : changes_of_key_[static_cast<size_t>(key)]) {
      changed = changed || changes_.at(change).ended == 0 || changes_.at(change).ended_ns >= since_ns;
    }
    if (!changed) {
      Broken(Promise::kP1, member, key,
             "run " + Number(id) + " loads the key again, and nothing changed since run " + Number(last));
    }
  }
  last = id;
  Acquire(member, key, id, run.begun);
  runs_.emplace(id, run);
  return id;
}

// ---- P2, P7: what a get may be given

void Model::CheckValue(int member, int key, Id origin, uint64_t begun, const char* how) {
  const auto run = runs_.find(origin);
  const auto change = changes_.find(origin);
  const bool known = run != runs_.end() ? run->second.key == key
                                        : change != changes_.end() && change->second.kind == ChangeKind::kSet &&
                                              change->second.keys.front() == key;
  if (!known) {
    Broken(Promise::kP2, member, key, std::string(how) + " was given a value that nobody made for this key");
    return;
  }
  const Seen& seen = SeenAt(member, key);
  const auto acquired = seen.acquired.find(origin);
  if (acquired == seen.acquired.end()) {
    Broken(Promise::kP2, member, key, std::string(how) + " was given " + Number(origin) + ", which never came here");
    return;
  }
  for (const Drop& drop : seen.drops) {
    if (drop.until < begun && acquired->second < drop.from) {
      Broken(Promise::kP2, member, key,
             std::string(how) + " was given " + Number(origin) + ", whose load began before the key was dropped here");
      return;
    }
  }
  if (!options_.stable_ring) return;
  for (const Id id : changes_of_key_[static_cast<size_t>(key)]) {
    const Change& after = changes_.at(id);
    if (!after.ok || after.ended >= begun) continue;
    const bool older = run != runs_.end()
                           ? run->second.begun < after.begun
                           : change->second.ok && !change->second.came_twice && change->second.ended < after.begun;
    if (older) {
      Broken(Promise::kP7, member, key,
             std::string(how) + " was given " + Number(origin) + ", which is older than change " + Number(id) +
                 ", which had returned OK");
      return;
    }
  }
}

// ---- P4, P6: how a get may end

void Model::CheckLate(const Get& get) {
  const int64_t late_ns = options_.late_ns + (get.by_queue ? members_[static_cast<size_t>(get.member)].poll_ns : 0);
  if (get.deadline_ns != 0 && world_.now_ns() > get.deadline_ns + late_ns) {
    Broken(Promise::kP6, get.member, get.key,
           "a get ended " + std::to_string((world_.now_ns() - get.deadline_ns) / kUs) + " us after its deadline");
  }
  if (world_.now_ns() > get.begun_ns + options_.load_timeout_ns + late_ns) {
    Broken(Promise::kP4, get.member, get.key, "a get waited longer than a load may take");
  }
}

void Model::CheckEnd(const Get& get, const Outcome& outcome) {
  CheckLate(get);
  if (!outcome.ok()) return CheckFailure(get, outcome);
  const Id origin = ReadMark(outcome.value->bytes());
  CheckValue(get.member, get.key, origin, get.begun, "a get");
  const bool hit = outcome.source == Source::kMain || outcome.source == Source::kHot;
  const auto expiry = expiries_.find(origin);
  // Two messages may have taken their time to bring it, each adding to its life. Copies of copies are made only where
  // rings change.
  if (hit && options_.stable_ring && expiry != expiries_.end() &&
      world_.now_ns() > expiry->second + 2 * options_.travel_ns + options_.late_ns) {
    Broken(Promise::kExpiry, get.member, get.key, "a get hit " + Number(origin) + " long after it expired");
  }
}

// Why a get may fail: for a reason of its own, or because a getter failed while it waited. Never because of a peer, and
// never because somebody else left.
void Model::CheckFailure(const Get& get, const Outcome& outcome) {
  const Member& member = members_[static_cast<size_t>(get.member)];
  const int64_t now_ns = world_.now_ns();
  const std::string said =
      ": code " + std::to_string(static_cast<int>(outcome.code)) + ", " + std::string(outcome.message());
  switch (outcome.code) {
    case Code::kCancelled:
      if (!get.cancelled) Broken(Promise::kP6, get.member, get.key, "a get that nobody cancelled was cancelled" + said);
      return;
    case Code::kTimeout: {
      // A peer is asked for whole milliseconds, and its silence then ends the wait.
      if (get.deadline_ns != 0 && now_ns >= get.deadline_ns - kMs) return;
      // Then its flight must be as old as a load may get.
      const int64_t latest_ns = now_ns - options_.load_timeout_ns;
      const int64_t late_ns = options_.late_ns + (get.by_queue ? member.poll_ns : 0);
      for (const int64_t flight_ns : SeenAt(get.member, get.key).flights_ns) {
        if (flight_ns <= latest_ns && flight_ns >= latest_ns - late_ns) return;
      }
      Broken(Promise::kP6, get.member, get.key, "a get timed out before its time" + said);
      return;
    }
    case Code::kClosed:
      if (!member.closing && !member.queue_was_closed) {
        Broken(Promise::kP9, get.member, get.key, "a get of a live member was closed" + said);
      }
      return;
    case Code::kNoGetter:
      if (member.has_getter) Broken(Promise::kP9, get.member, get.key, "a get found no getter" + said);
      return;
    case Code::kLoadAbandoned: {
      bool abandoned = member.queue_was_closed;
      for (const auto& [id, run] : runs_) {
        // What brought nothing, after all had left, is run again for those who came since, unless nobody here can.
        const bool ends_it = run.end == RunEnd::kAbandoned || (run.end != RunEnd::kCompleted && !member.has_getter);
        abandoned = abandoned || (run.member == get.member && run.key == get.key && ends_it && run.ended > get.begun);
      }
      if (!abandoned) Broken(Promise::kP4, get.member, get.key, "a get failed for a load that nobody abandoned" + said);
      return;
    }
    case Code::kNotFound:
    case Code::kLoadFailed:
    case Code::kRemoteFailed: {
      const auto found = runs_.find(ReadMark(outcome.message()));
      if (found == runs_.end() || found->second.key != get.key || found->second.ended == 0) {
        Broken(Promise::kP9, get.member, get.key, "a get failed with what no getter said" + said);
        return;
      }
      const Run& run = found->second;
      if (run.end == RunEnd::kGaveUp) {
        Broken(Promise::kP6, get.member, get.key,
               "a get failed because " + Number(found->first) + " was given up for want of others" + said);
        return;
      }
      const Code expected = run.end == RunEnd::kNotFound ? Code::kNotFound
                            : run.member == get.member   ? Code::kLoadFailed
                                                         : Code::kRemoteFailed;
      if (outcome.code != expected)
        Broken(Promise::kP9, get.member, get.key, "a get failed otherwise than its load" + said);
      if (run.member == get.member && run.ended < get.begun) {
        Broken(Promise::kP2, get.member, get.key, "a get failed with a load that had ended before it began" + said);
      }
      return;
    }
    default:
      Broken(Promise::kP9, get.member, get.key, "a get failed because of a peer" + said);
      return;
  }
}

void Model::EndChange(Id id, const Status& status) {
  Change& change = changes_.at(id);
  if (change.ended != 0) {
    Broken(Promise::kP4, change.member, change.keys.front(), "change " + Number(id) + " ended twice");
    return;
  }
  change.ended = world_.Tick();
  change.ended_ns = world_.now_ns();
  change.ok = status.ok();
  --changes_open_;
  world_.Note(NodeOf(change.member), status.ok() ? "change is done" : "change failed", change.keys.front(),
              static_cast<int64_t>(id), static_cast<int64_t>(status.code()));
  if (status.code() != Code::kClosed) {
    for (const int key : change.keys) {
      SeenAt(change.member, key).drops.push_back({change.begun, change.ended, change.ended_ns});
    }
  }
  const Member& member = members_[static_cast<size_t>(change.member)];
  if (options_.calm && !status.ok() && !member.closing) {
    Broken(Promise::kP7, change.member, change.keys.front(), "a change failed in a calm cluster: " + status.message());
  }
  // Its two steps, the owner and then the others, each have the whole time.
  if (change.ended_ns - change.begun_ns > 2 * (change.timeout_ns + options_.late_ns)) {
    Broken(Promise::kP6, change.member, change.keys.front(),
           "change " + Number(id) + " took " + std::to_string((change.ended_ns - change.begun_ns) / kMs) + " ms of " +
               std::to_string(change.timeout_ns / kMs) + ": " + status.message());
  }
}

// What is under way gets the time that was given, not more: the rest is failed, not waited for.
void Model::CheckShutdown(int member, int64_t took_ns, int64_t drain_ms) {
  if (took_ns > drain_ms * kMs + options_.late_ns) {
    Broken(Promise::kP6, member, kNoKey,
           "it was given " + std::to_string(drain_ms) + " ms to shut down and took " + std::to_string(took_ns / kMs));
  }
}

// ---- P5, and what is left at the end

void Model::CheckBudget(int member, const TierStats& main, const TierStats& hot) {
  for (const TierStats* tier : {&main, &hot}) {
    if (tier->charged_bytes > tier->budget_bytes) {
      Broken(Promise::kP5, member, kNoKey,
             "a tier holds " + std::to_string(tier->charged_bytes) + " of " + std::to_string(tier->budget_bytes) +
                 " bytes");
    }
  }
}

void Model::CheckQuiet() {
  for (const auto& [id, get] : gets_) Broken(Promise::kP4, get.member, get.key, "get " + Number(id) + " never ended");
  for (const auto& [id, change] : changes_) {
    if (change.ended == 0)
      Broken(Promise::kP4, change.member, change.keys.front(), "change " + Number(id) + " never ended");
  }
}

}  // namespace cohort::sim

#include "sim/schedule.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "sim/member.h"

namespace cohort::sim {
namespace {

constexpr const char* kFlavorNames[] = {"calm", "busy", "faulty", "moving"};

// What kinds of things happen, in parts of their sum.
struct Weights {
  int get = 60;
  int peek = 4;
  int cancel = 0;
  int set = 6;
  int remove = 8;
  int remove_keys = 3;
  int peers = 0;
  int crash = 0;
  int stop = 0;
  int part = 0;
  int close_queue = 0;
};

struct Plan {
  Flavor flavor = Flavor::kCalm;
  int members = 3;
  std::vector<std::string> keys;
  int steps = 200;
  int64_t length_ns = 10 * kS;
  Weights weights;
  ModelOptions model;
  NetworkOptions network;
  MemberOptions member;  // As a rule; each has its own getter and clock.
  bool short_deadlines = false;
};

std::vector<std::string> MakeKeys(Rng& rng, int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) keys.push_back("key" + std::to_string(i));
  // Names that are hard to carry.
  const std::string odd[] = {".", "..", "a/b?c d%", std::string("\xff\0\xfe", 3), std::string(9000, 'k')};
  for (const std::string& name : odd) {
    if (rng.Chance(60)) keys[static_cast<size_t>(rng.Below(count))] = name;
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

Plan MakePlan(uint64_t seed, Rng& rng) {
  Plan plan;
  plan.flavor = static_cast<Flavor>(seed % kFlavors);
  const bool calm = plan.flavor == Flavor::kCalm;
  const bool faulty = plan.flavor == Flavor::kFaulty || plan.flavor == Flavor::kMoving;
  const bool moving = plan.flavor == Flavor::kMoving;

  const int64_t size = rng.Below(100);
  plan.members = static_cast<int>(size < 60 ? rng.Between(2, 5) : size < 92 ? rng.Between(6, 12) : rng.Between(24, 40));
  const bool crowded = !calm && rng.Chance(300);  // More keys than the caches hold.
  plan.keys = MakeKeys(rng, static_cast<int>(crowded ? rng.Between(20, 60) : rng.Between(1, 6)));
  plan.steps = static_cast<int>(rng.Between(60, plan.members > 12 ? 120 : 300));
  plan.length_ns = rng.Between(2, 15) * kS;
  plan.network.latest_ns = rng.Chance(300) ? 200 * kMs : 5 * kMs;

  plan.member.ring.replicas = 8;
  plan.member.ring.preset = rng.Chance(200) ? RingPreset::kGroupcacheV3 : RingPreset::kXxh3;
  plan.member.latest_load_ns = rng.Chance(300) ? 2 * kS : 200 * kMs;
  plan.member.most_bytes = 64;
  if (!calm) {
    const int64_t timeouts_ms[] = {800, 3'000, 10'000, 60'000};
    plan.member.load_timeout_ms = timeouts_ms[rng.Below(4)];
    plan.member.fail = static_cast<int>(rng.Below(150));
    plan.member.find_nothing = static_cast<int>(rng.Below(100));
    plan.member.abandon = static_cast<int>(rng.Below(150));
    plan.member.late = static_cast<int>(rng.Below(60));
    plan.member.watch = 300;
    plan.member.leave = 200;
    if (rng.Chance(300)) plan.member.longest_life_ms = rng.Between(20, 4'000);
    if (crowded) {
      plan.member.cache_bytes = rng.Between(400, 4'000);
      plan.member.most_bytes = static_cast<int>(rng.Between(16, 600));
    }
    if (rng.Chance(100)) plan.member.cache_bytes = 0;
    plan.short_deadlines = rng.Chance(700);
    plan.weights.cancel = 12;
    plan.weights.close_queue = rng.Chance(100) ? 1 : 0;
    plan.weights.stop = rng.Chance(200) ? 1 : 0;
  }
  if (faulty) {
    plan.network.lose_request = static_cast<int>(rng.Below(60));
    plan.network.lose_answer = static_cast<int>(rng.Below(60));
    plan.network.duplicate = static_cast<int>(rng.Below(60));
    plan.network.long_delay = static_cast<int>(rng.Below(100));
    plan.weights.part = rng.Chance(500) ? 1 : 0;
    plan.weights.crash = rng.Chance(500) ? 1 : 0;
  }
  if (moving) plan.weights.peers = 3;

  plan.model.calm = calm;
  plan.model.stable_ring = !moving;
  plan.model.load_timeout_ns = plan.member.load_timeout_ms * kMs;
  plan.model.travel_ns = 50 * kUs + (faulty ? 2 * plan.network.long_delay_ns : plan.network.latest_ns);
  return plan;
}

class Schedule {
 public:
  explicit Schedule(uint64_t seed)
      : rng_(seed * 0x2545f4914f6cdd1d + 1),
        plan_(MakePlan(seed, rng_)),
        world_(ReplayCommand(seed)),
        model_(world_, plan_.model, plan_.keys),
        network_(world_, rng_.Fork(), plan_.network, model_) {
    report_.seed = seed;
    report_.flavor = plan_.flavor;
  }

  Report Run() {
    Begin();
    PlanSteps();
    world_.RunUntil(plan_.length_ns);
    Settle();
    End();
    report_.violations = model_.violations();
    report_.hash = world_.trace().hash();
    report_.trace = world_.trace().Text();
    report_.members = plan_.members;
    report_.events = world_.events();
    report_.gets = model_.gets();
    report_.hits = model_.hits();
    report_.runs = model_.runs();
    report_.changes = model_.changes();
    report_.virtual_ns = world_.now_ns();
    return report_;
  }

 private:
  void Begin();
  void PlanSteps();
  void Step();
  void Settle();
  void End();

  Member* Any() {
    Member& member = *members_[static_cast<size_t>(rng_.Below(plan_.members))];
    return member.live() ? &member : nullptr;
  }
  // Some keys are wanted more than others.
  int AnyKey() {
    const auto count = static_cast<int64_t>(plan_.keys.size());
    return static_cast<int>(rng_.Chance(400) ? 0 : rng_.Below(count));
  }
  int64_t AnyTimeoutMs() {
    if (!plan_.short_deadlines || rng_.Chance(500)) return 0;
    return rng_.Chance(500) ? rng_.Between(1, 50) : rng_.Between(50, 3'000);
  }
  int64_t ChangeTimeoutMs() {
    return plan_.model.calm || plan_.flavor == Flavor::kBusy || rng_.Chance(500) ? 10'000 : rng_.Between(20, 4'000);
  }
  void GetSomething(Member& member);
  void ChangeSomething(Member& member, ChangeKind kind);
  void ChangeRing();
  void Part();
  // What makes the caller wait in virtual time happens one at a time, so that waits end in order.
  void Down(Member& member, bool crash);

  Rng rng_;
  const Plan plan_;
  World world_;
  Census census_;
  Model model_;
  SimNetwork network_;
  std::vector<std::unique_ptr<Member>> members_;
  std::map<int, Member*> by_incarnation_;
  std::vector<std::string> ring_;
  bool going_down_ = false;
  bool settling_ = false;
  Report report_;
};

void Schedule::Begin() {
  world_.set_after_event([this](int owner) {
    const auto member = by_incarnation_.find(owner);
    if (member != by_incarnation_.end() && member->second->incarnation() == owner) member->second->Poll();
  });
  const Surroundings around{world_, network_, model_, census_, plan_.keys};
  for (int i = 0; i < plan_.members; ++i) ring_.push_back("node" + std::to_string(i) + ":1");
  for (int i = 0; i < plan_.members; ++i) {
    MemberOptions options = plan_.member;
    const int64_t kind = rng_.Below(100);
    // In a calm cluster every member must be able to load for those who ask it.
    options.getter = kind < 50                       ? GetterKind::kCallback
                     : kind < 85 || plan_.model.calm ? GetterKind::kQueue
                                                     : GetterKind::kNone;
    if (rng_.Chance(200)) options.poll_ns = 30 * kMs;
    options.unix_ahead_ns = rng_.Chance(500) ? 0 : rng_.Between(-30, 30) * kS;
    members_.push_back(std::make_unique<Member>(around, options, rng_.Fork(), i, ring_[static_cast<size_t>(i)]));
    members_.back()->Start(ring_);
    by_incarnation_[members_.back()->incarnation()] = members_.back().get();
  }
}

// Half of what happens does so close together, where races are.
void Schedule::PlanSteps() {
  std::vector<int64_t> moments;
  for (int i = 0; i < 1 + plan_.steps / 25; ++i) moments.push_back(rng_.Between(0, plan_.length_ns));
  for (int i = 0; i < plan_.steps; ++i) {
    int64_t at_ns = rng_.Between(0, plan_.length_ns);
    if (rng_.Chance(600)) {
      at_ns =
          moments[static_cast<size_t>(rng_.Below(static_cast<int64_t>(moments.size())))] + rng_.Between(0, 40 * kMs);
    }
    world_.After(std::min(at_ns, plan_.length_ns), kNoOwner, kNoCause, [this] { Step(); });
  }
}

void Schedule::Step() {
  Member* const member = Any();
  if (member == nullptr || settling_) return;
  const Weights& w = plan_.weights;
  const std::pair<int, std::function<void()>> choices[] = {
      {w.get, [&] { GetSomething(*member); }},
      {w.peek, [&] { member->Peek(AnyKey()); }},
      {w.cancel, [&] { member->CancelOne(); }},
      {w.set, [&] { ChangeSomething(*member, ChangeKind::kSet); }},
      {w.remove, [&] { ChangeSomething(*member, ChangeKind::kRemove); }},
      {w.remove_keys, [&] { ChangeSomething(*member, ChangeKind::kRemoveKeys); }},
      {w.peers, [&] { ChangeRing(); }},
      {w.crash, [&] { Down(*member, true); }},
      {w.stop, [&] { Down(*member, false); }},
      {w.part, [&] { Part(); }},
      {w.close_queue, [&] { member->CloseQueue(); }},
  };
  int sum = 0;
  for (const auto& [weight, choice] : choices) sum += weight;
  int64_t at = rng_.Below(sum);
  for (const auto& [weight, choice] : choices) {
    if (at < weight) {
      choice();
      break;
    }
    at -= weight;
  }
  if (member->live() && rng_.Chance(50)) member->CheckBudget();
}

void Schedule::GetSomething(Member& member) {
  if (rng_.Chance(150)) {
    std::vector<int> keys;
    for (int64_t i = rng_.Between(2, 12); i > 0; --i) keys.push_back(AnyKey());
    return member.GetMany(keys, AnyTimeoutMs());
  }
  const int key = AnyKey();
  const int64_t many = rng_.Chance(300) ? rng_.Between(2, 6) : 1;
  // A get that asks nobody has a flight of its own beside the others: not where a second load would be a fault.
  const bool local = plan_.flavor == Flavor::kMoving && rng_.Chance(50);
  for (int64_t i = 0; i < many; ++i) member.Get(key, rng_.Chance(500), rng_.Chance(600), local, AnyTimeoutMs());
}

void Schedule::ChangeSomething(Member& member, ChangeKind kind) {
  std::vector<int> keys = {AnyKey()};
  if (kind == ChangeKind::kRemoveKeys) {
    for (int i = 0; i < 3; ++i) keys.push_back(AnyKey());
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  }
  member.Change(kind, std::move(keys), ChangeTimeoutMs());
}

// Members learn of the new ring at different times; those that are not in it are alone, or keep what they had.
void Schedule::ChangeRing() {
  std::vector<std::string> ring;
  for (const auto& member : members_) {
    if (rng_.Chance(750)) ring.push_back(member->address());
  }
  ring_ = ring;
  const int64_t spread_ns = rng_.Chance(500) ? 50 * kMs : 3 * kS;
  for (const auto& member : members_) {
    const bool in = std::find(ring.begin(), ring.end(), member->address()) != ring.end();
    if (!in && rng_.Chance(300)) continue;
    world_.After(rng_.Between(0, spread_ns), kNoOwner, kNoCause, [ring, target = member.get()] {
      if (target->live()) target->SetPeers(ring);
    });
  }
}

void Schedule::Part() {
  std::map<std::string, int> sides;
  for (const auto& member : members_) sides[member->address()] = static_cast<int>(rng_.Below(2));
  world_.Note(kNobody, "the network parts");
  network_.Partition(std::move(sides));
  world_.After(rng_.Between(50 * kMs, 4 * kS), kNoOwner, kNoCause, [this] {
    world_.Note(kNobody, "the network is whole");
    network_.Partition({});
  });
}

void Schedule::Down(Member& member, bool crash) {
  if (going_down_) return;
  going_down_ = true;
  if (crash) {
    member.Crash();
  } else {
    member.Stop(rng_.Chance(300) ? 0 : rng_.Between(1, 3'000));
  }
  going_down_ = false;
  world_.After(rng_.Between(0, 2 * kS), kNoOwner, kNoCause, [this, target = &member] {
    if (settling_) return;
    target->Start(ring_);
    by_incarnation_[target->incarnation()] = target;
  });
}

// Faults end, nothing new begins, and what is under way gets the time to end by itself. Then everyone is asked for
// everything once more.
void Schedule::Settle() {
  settling_ = true;
  network_.Partition({});
  NetworkOptions whole;
  whole.latest_ns = plan_.network.latest_ns;
  network_.set_options(whole);
  const int64_t limit_ns = world_.now_ns() + plan_.model.load_timeout_ns * 3 + 100 * kS;
  world_.Await(limit_ns, [this] { return model_.quiet(); });
  world_.RunUntil(world_.now_ns() + 12 * kS);  // Breakers close, late copies arrive.
  for (const auto& member : members_) {
    if (!member->live()) continue;
    for (size_t key = 0; key < std::min<size_t>(plan_.keys.size(), 6); ++key) {
      member->Peek(static_cast<int>(key));
      member->Get(static_cast<int>(key), false, false, false, 0);
    }
  }
  world_.Await(world_.now_ns() + plan_.model.load_timeout_ns * 3 + 100 * kS, [this] { return model_.quiet(); });
  // A flight whose last caller has left ends with its longest time at the latest.
  world_.RunUntil(world_.now_ns() + plan_.model.load_timeout_ns + 3 * plan_.network.latest_ns + kS);
  model_.CheckQuiet();
  for (const auto& member : members_) {
    if (!member->live()) continue;
    member->CheckBudget();
    member->CheckIdle();
  }
}

void Schedule::End() {
  for (const auto& member : members_) {
    if (member->live()) member->Stop(0);
  }
  world_.RunOut();
  if (census_.callbacks_made != census_.callbacks_gone) {
    model_.Broken(Promise::kP4, 0, kNoKey,
                  std::to_string(census_.callbacks_made - census_.callbacks_gone) + " callbacks were never let go of");
  }
  if (census_.values_made != census_.values_gone) {
    model_.Broken(Promise::kP4, 0, kNoKey,
                  std::to_string(census_.values_made - census_.values_gone) + " values' memory was never let go of");
  }
}

}  // namespace

bool Report::Broke(Promise promise) const {
  return std::any_of(violations.begin(), violations.end(), [&](const Violation& v) { return v.promise == promise; });
}

std::string ReplayCommand(uint64_t seed) { return "sim_tests --seed " + std::to_string(seed); }

std::string Report::Text() const {
  std::string text = "seed " + std::to_string(seed) + " (" + kFlavorNames[static_cast<int>(flavor)] + ", " +
                     std::to_string(members) + " members, " + std::to_string(gets) + " gets, " + std::to_string(hits) +
                     " hits, " + std::to_string(runs) + " loads, " + std::to_string(changes) + " changes, " +
                     std::to_string(events) + " events, hash " + std::to_string(hash) + ")\n";
  for (const Violation& violation : violations) text += "  " + violation.text + "\n";
  if (!ok()) text += "Replay: " + ReplayCommand(seed) + "\n" + trace;
  return text;
}

Report RunSchedule(uint64_t seed) { return Schedule(seed).Run(); }

}  // namespace cohort::sim

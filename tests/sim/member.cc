#include "sim/member.h"

#include <algorithm>
#include <utility>

#include "engine/waiter.h"
#include "sim/asked.h"

namespace cohort::sim {
namespace {

constexpr size_t kTakeAtOnce = 16;
constexpr uint64_t kGroupTag = ~uint64_t{0};

// The memory of a value that is the host's own.
struct HostBytes {
  std::string text;
  Census* census;
  static void Destroy(void* user) {
    auto* bytes = static_cast<HostBytes*>(user);
    ++bytes->census->values_gone;
    delete bytes;
  }
};

}  // namespace

// What a callback owns: the engine must let go of it exactly once, called or not.
class Member::Token {
 public:
  explicit Token(Census& census) : census_(&census) { ++census.callbacks_made; }
  Token(Token&& other) noexcept : census_(std::exchange(other.census_, nullptr)) {}
  Token& operator=(Token&&) = delete;
  ~Token() {
    if (census_ != nullptr) ++census_->callbacks_gone;
  }

 private:
  Census* census_;
};

Member::Member(const Surroundings& around, MemberOptions options, Rng rng, int node, std::string address)
    : around_(around), options_(std::move(options)), rng_(rng), node_(node), address_(std::move(address)) {}

Member::~Member() = default;

int Member::KeyOf(std::string_view key) const {
  const auto found = std::find(around_.keys.begin(), around_.keys.end(), key);
  return found == around_.keys.end() ? kNoKey : static_cast<int>(found - around_.keys.begin());
}

// ---- life

void Member::Start(const std::vector<std::string>& peers) {
  incarnation_ = around_.model.AddMember(node_, options_.getter != GetterKind::kNone, options_.poll_ns);
  around_.world.Note(node_, "starts", kNoKey, incarnation_);
  SimRuntimeOptions runtime_options;
  runtime_options.owner = incarnation_;
  runtime_options.unix_ahead_ns = options_.unix_ahead_ns;
  runtime_ = std::make_shared<SimRuntime>(around_.world, runtime_options, rng_.Fork());
  InstanceOptions options;
  options.ring = options_.ring;
  options.base_path = kBasePath;
  options.runtime = runtime_;
  options.transport = around_.network.Attach(incarnation_, address_);
  instance_ = Instance::New(std::move(options));
  queue_ = *EventQueue::New();

  GroupOptions group;
  group.cache.cache_bytes = options_.cache_bytes;
  group.load_timeout_ms = options_.load_timeout_ms;
  if (options_.getter == GetterKind::kCallback) {
    group.getter = std::make_shared<CallbackGetter>([this](std::unique_ptr<Load> load) {
      const World::CauseScope host(around_.world, kNoCause);
      StartRun(std::move(load), false);
    });
  } else if (options_.getter == GetterKind::kQueue) {
    group.getter = std::make_shared<QueueGetter>(queue_, kGroupTag);
  }
  group_ = *instance_->NewGroup("g", std::move(group));
  SetPeers(peers);
  if (!instance_->Listen(address_).ok()) around_.model.Broken(Promise::kP4, incarnation_, kNoKey, "it cannot listen");
  live_ = true;
}

void Member::SetPeers(const std::vector<std::string>& peers) {
  const bool alone = std::find(peers.begin(), peers.end(), address_) == peers.end();
  around_.world.Note(node_, "learns its peers", kNoKey, alone ? 0 : static_cast<int64_t>(peers.size()));
  const Status status = alone ? instance_->SetPeers({}, address_) : instance_->SetPeers(peers, address_);
  if (!status.ok())
    around_.model.Broken(Promise::kP9, incarnation_, kNoKey, "it refused its peers: " + status.message());
}

void Member::Crash() {
  around_.world.Note(node_, "crashes", kNoKey, incarnation_);
  around_.network.Cut(incarnation_);
  ShutDown(0);
}

void Member::Stop(int64_t drain_ms) {
  around_.world.Note(node_, "shuts down", kNoKey, incarnation_, drain_ms);
  ShutDown(drain_ms);
  around_.world.Note(node_, "has shut down", kNoKey, incarnation_);
}

void Member::ShutDown(int64_t drain_ms) {
  live_ = false;
  around_.model.CloseMember(incarnation_);
  // Its host goes on taking events while it waits.
  leaving_ = true;
  PollWhileLeaving();
  const int64_t begun_ns = around_.world.now_ns();
  instance_->Shutdown(drain_ms);
  leaving_ = false;
  around_.model.CheckShutdown(incarnation_, around_.world.now_ns() - begun_ns, drain_ms);
  Leave();
}

void Member::PollWhileLeaving() {
  if (!leaving_) return;
  TakeEvents();
  around_.world.After(2 * kMs, kNoOwner, kNoCause, [this] { PollWhileLeaving(); });
}

void Member::Leave() {
  TakeEvents();
  for (const Model::Id get : around_.model.Waiting(incarnation_)) {
    around_.model.Broken(Promise::kP4, incarnation_, kNoKey, "get #" + std::to_string(get) + " outlived its member");
  }
  queue_->Close();
  TakeEvents();
  queue_.reset();
  group_.reset();
  instance_.reset();
  runtime_.reset();
  tickets_.clear();
}

// ---- getting

ValueRef Member::NewValue(int key, Model::Id origin) {
  const int64_t life_ms = options_.longest_life_ms == 0 ? 0 : rng_.Between(1, options_.longest_life_ms);
  int64_t expire_unix_ns = 0;
  if (life_ms != 0) {
    const int64_t expires_ns = around_.world.now_ns() + life_ms * kMs;
    expire_unix_ns = SimRuntime::UnixOf(expires_ns, options_.unix_ahead_ns);
    around_.model.SetExpiry(origin, expires_ns);
    around_.world.Note(node_, "its value lives (ms)", key, static_cast<int64_t>(origin), life_ms);
  }
  std::string text = Model::Mark(origin);
  text.resize(text.size() + static_cast<size_t>(rng_.Below(options_.most_bytes)), '.');
  // With its key, without it, and in memory of the host.
  const std::string& name = around_.keys[static_cast<size_t>(key)];
  switch (rng_.Below(3)) {
    case 0:
      return Value::Copy(name, text, expire_unix_ns);
    case 1:
      return Value::Copy({}, text, expire_unix_ns);
    default: {
      ++around_.census.values_made;
      auto* bytes = new HostBytes{std::move(text), &around_.census};
      return Value::Borrow(name, bytes->text, expire_unix_ns, &HostBytes::Destroy, bytes);
    }
  }
}

void Member::Get(int key, bool by_queue, bool can_lead, bool local, int64_t timeout_ms) {
  Begin(key, (by_queue && can_lead ? kCanLead : 0) | (local ? kLocal : 0), by_queue, timeout_ms);
  Poll();
}

void Member::GetMany(const std::vector<int>& keys, int64_t timeout_ms) {
  {
    Asks asks(group_->context());
    for (const int key : keys) Begin(key, 0, true, timeout_ms, &asks);
  }
  Poll();
}

void Member::Peek(int key) { Begin(key, kPeek, false, 0); }

void Member::Begin(int key, int flags, bool by_queue, int64_t timeout_ms, Asks* asks) {
  Model& model = around_.model;
  const Model::Id get = model.BeginGet(incarnation_, key, by_queue, timeout_ms);
  SimRuntime* const runtime = runtime_.get();
  int made = 0;
  const auto make_waiter = [&]() -> std::unique_ptr<Waiter> {
    ++made;
    if (by_queue) return std::make_unique<QueueWaiter>(queue_, get, (flags & kCanLead) != 0);
    Executor* const executor = rng_.Chance(500) ? &runtime->executor() : nullptr;
    return std::make_unique<CallbackWaiter>(
        [this, get, runtime, token = Token(around_.census)](const Outcome& outcome) { End(get, outcome, *runtime); },
        executor);
  };
  GetAnswer answer;
  const Begun begun =
      group_->Begin(around_.keys[static_cast<size_t>(key)], flags, timeout_ms, make_waiter, &answer, asks);
  if (made > 1 || (made == 1 && begun != Begun::kPending && begun != Begun::kFailed)) {
    model.Broken(Promise::kP4, incarnation_, key, "a get that does not wait made a waiter");
  }
  switch (begun) {
    case Begun::kHit: {
      Outcome outcome;
      outcome.value = std::move(answer.value);
      outcome.source = answer.source;
      End(get, outcome, *runtime);
      break;
    }
    case Begun::kFailed:
      End(get, Outcome::Failed(answer.status), *runtime);
      break;
    case Begun::kMiss:
      model.MissGet(get);
      break;
    case Begun::kLead:
      model.LeadGet(get);
      StartRun(std::move(answer.load), true);
      break;
    case Begun::kPending:
      tickets_[get] = answer.ticket;
      break;
  }
}

void Member::End(Model::Id get, const Outcome& outcome, const SimRuntime& runtime) {
  const World::CauseScope host(around_.world, kNoCause);
  around_.model.EndGet(get, outcome, runtime.UnixAt(around_.world.now_ns()));
}

void Member::CancelOne() {
  const std::vector<Model::Id> waiting = around_.model.Waiting(incarnation_);
  if (waiting.empty()) return;
  const Model::Id get = waiting[static_cast<size_t>(rng_.Below(static_cast<int64_t>(waiting.size())))];
  around_.model.CancelGet(get);
  group_->EndWait(tickets_.at(get), Code::kCancelled, "its caller cancelled it");
  Poll();
}

// ---- changing

void Member::Change(ChangeKind kind, std::vector<int> keys, int64_t timeout_ms) {
  const Model::Id change = around_.model.BeginChange(incarnation_, kind, keys, timeout_ms);
  auto done = [this, change, token = Token(around_.census)](Status status) {
    const World::CauseScope host(around_.world, kNoCause);
    around_.model.EndChange(change, status);
  };
  const std::string& first = around_.keys[static_cast<size_t>(keys.front())];
  switch (kind) {
    case ChangeKind::kSet:
      group_->Set(first, NewValue(keys.front(), change), timeout_ms, std::move(done));
      break;
    case ChangeKind::kRemove:
      group_->Remove(first, timeout_ms, std::move(done));
      break;
    case ChangeKind::kRemoveKeys: {
      std::vector<std::string> names;
      for (const int key : keys) names.push_back(around_.keys[static_cast<size_t>(key)]);
      group_->RemoveKeys(std::move(names), timeout_ms, std::move(done));
      break;
    }
  }
  Poll();
}

// ---- the getter

void Member::StartRun(std::unique_ptr<Load> load, bool led) {
  World& world = around_.world;
  const int key = KeyOf(load->key());
  // A load may reach a host whose member has just left.
  const std::string owner = instance_ != nullptr ? instance_->Owner(load->key()) : std::string();
  const Model::Id id = around_.model.BeginRun(incarnation_, key, load.get(), owner.empty() || owner == address_);
  OpenRun run;
  run.key = key;
  int64_t takes_ns =
      rng_.Chance(300) ? rng_.Between(0, options_.latest_load_ns) : rng_.Between(0, options_.latest_load_ns / 20);
  if (rng_.Chance(options_.fail)) {
    run.end = RunEnd::kFailed;
  } else if (rng_.Chance(options_.find_nothing)) {
    run.end = RunEnd::kNotFound;
  } else if (rng_.Chance(options_.abandon)) {
    run.end = RunEnd::kAbandoned;
  }
  if (rng_.Chance(options_.late)) takes_ns += options_.load_timeout_ms * kMs;
  if (rng_.Chance(options_.watch)) {
    run.gives_up = true;
    if (queue_ != nullptr && rng_.Chance(700)) {
      if (!load->Watch(queue_, id).ok())
        around_.model.Broken(Promise::kP4, incarnation_, key, "a load cannot be watched");
    }
  }
  run.load = std::move(load);
  runs_.emplace(id, std::move(run));
  if (led && rng_.Chance(options_.leave)) {
    world.After(takes_ns / 2, incarnation_, kNoCause, [this, id] {
      const auto open = runs_.find(id);
      if (open == runs_.end()) return;
      around_.world.Note(node_, "the leader leaves", open->second.key, static_cast<int64_t>(id));
      open->second.load->Leave();
    });
  }
  world.After(takes_ns, incarnation_, kNoCause, [this, id] { FinishRun(id); });
}

void Member::FinishRun(Model::Id id) {
  const auto open = runs_.find(id);
  if (open == runs_.end()) return;
  if (open->second.gives_up && open->second.load->Cancelled()) return GiveUp(id);
  OpenRun run = std::move(open->second);
  runs_.erase(open);
  around_.model.EndRun(id, run.end);
  switch (run.end) {
    case RunEnd::kCompleted: {
      const ValueRef value = NewValue(run.key, id);
      run.load->Complete(value);
      if (rng_.Chance(50)) run.load->Complete(value);  // The second end is ignored.
      break;
    }
    case RunEnd::kFailed:
      run.load->Fail(Code::kLoadFailed, "it failed " + Model::Mark(id), 0);
      break;
    case RunEnd::kNotFound:
      run.load->Fail(Code::kNotFound, "there is none " + Model::Mark(id), 0);
      break;
    case RunEnd::kAbandoned:
    case RunEnd::kGaveUp:
      run.load.reset();
      break;
  }
}

void Member::GiveUp(Model::Id id) {
  const auto open = runs_.find(id);
  if (open == runs_.end()) return;
  OpenRun run = std::move(open->second);
  runs_.erase(open);
  around_.model.EndRun(id, RunEnd::kGaveUp);
  run.load->Fail(Code::kLoadFailed, "nobody waits " + Model::Mark(id), 0);
}

// ---- events

void Member::Poll() {
  if (queue_ == nullptr || polling_) return;
  if (options_.poll_ns == 0) return TakeEvents();
  polling_ = true;
  around_.world.After(rng_.Between(0, options_.poll_ns), kNoOwner, kNoCause, [this] {
    polling_ = false;
    TakeEvents();
  });
}

void Member::TakeEvents() {
  if (queue_ == nullptr) return;
  const World::CauseScope host(around_.world, kNoCause);
  for (;;) {
    const std::shared_ptr<EventQueue> queue = queue_;
    std::vector<std::unique_ptr<EventNode>> events = queue->Take(kTakeAtOnce, 0);
    if (events.empty()) return;
    for (std::unique_ptr<EventNode>& event : events) {
      switch (event->kind) {
        case EventKind::kGet: {
          Outcome outcome;
          outcome.code = static_cast<Code>(event->status);
          outcome.value = event->value;
          outcome.source = event->source;
          End(event->tag, outcome, *runtime_);
          break;
        }
        case EventKind::kLead:
          around_.model.LeadGet(event->tag);
          StartRun(std::move(event->load), true);
          break;
        case EventKind::kLoad:
          StartRun(std::move(event->load), false);
          break;
        case EventKind::kCancel:
          around_.world.Note(node_, "a load is wanted no more", kNoKey, static_cast<int64_t>(event->tag));
          around_.world.After(rng_.Between(0, 20 * kMs), incarnation_, kNoCause,
                              [this, run = event->tag] { GiveUp(run); });
          break;
        default:
          around_.model.Broken(Promise::kP4, incarnation_, kNoKey, "an event came that nobody asked for");
          break;
      }
    }
  }
}

void Member::CloseQueue() {
  around_.world.Note(node_, "closes its queue");
  around_.model.CloseQueue(incarnation_);
  queue_->Close();
  TakeEvents();
}

// ---- what the engine says of itself

void Member::CheckBudget() {
  around_.model.CheckBudget(incarnation_, group_->CacheStatsNow(Tier::kMain), group_->CacheStatsNow(Tier::kHot));
}

void Member::CheckIdle() {
  const GroupStats stats = group_->StatsNow();
  if (stats.waiting != 0 || stats.loading != 0) {
    around_.model.Broken(Promise::kP4, incarnation_, kNoKey,
                         std::to_string(stats.waiting) + " gets and " + std::to_string(stats.loading) +
                             " loads are left, by the group's own count");
  }
}

}  // namespace cohort::sim

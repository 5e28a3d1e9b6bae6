// Gets of values that another process owns.
//
//   owner -listen A -peers A,B
//       serves its keys until its input ends
//   asker -listen B -peers A,B -owner A -owner-pid P [-keep 1]
//       keeps nothing unless told to; asked: "blocking|async|many|set|remove N SECONDS": N callers, or gets in flight;
//       many: 100 keys a call
#include <mutex>

#include "keys.h"
#include "measure.h"
#include "member.h"
#include "subjects.h"

namespace bench {
namespace {

constexpr int kMany = 100;

MemberOptions Address(const Flags& flags, int64_t cache_bytes) {
  MemberOptions options;
  options.cache_bytes = cache_bytes;
  options.listen = flags.Text("-listen");
  options.peers = flags.Text("-peers");
  return options;
}

struct Asker {
  Member member;
  std::vector<std::string> keys;
  Watched watched;

  const std::string& RandomKey(Random* random) const { return keys[random->Next() % keys.size()]; }
  void Get(const std::string& key) const {
    cohort_value_t* value = cohort_group_get(member.group, key.data(), key.size(), 0, 0, nullptr);
    if (value == nullptr) Die("a get failed");
    cohort_value_free(value);
  }
  // Gets each key once, so that the owner loads it, and ends the program when the value is another one.
  void Verify() const {
    for (const std::string& key : keys) {
      cohort_value_t* value = cohort_group_get(member.group, key.data(), key.size(), 0, 0, nullptr);
      if (value == nullptr) Die("a get failed");
      if (cohort_value_size(value) != kValueBytes ||
          !IsValue(NumberOf(key.data(), key.size()), cohort_value_data(value), kValueBytes)) {
        Die("the value of " + key + " is not the owner's");
      }
      cohort_value_free(value);
    }
  }
};

struct alignas(64) Caller {
  Random random{0};
  cohort_queue_t* queue = nullptr;
  std::string keys;
  std::vector<cohort_answer_t> answers;
  std::vector<cohort_event_t> events;
};

std::vector<Caller> Callers(int n) {
  std::vector<Caller> callers(static_cast<size_t>(n));
  for (size_t i = 0; i < callers.size(); ++i) callers[i].random = Random(i);
  return callers;
}

Json Blocking(const Words& words, const Asker& asker) {
  std::vector<Caller> callers = Callers(words.Int(1));
  return Measure<true>(words.Int(1), words.Double(2), asker.watched, 1, [&](int thread, int64_t) {
    asker.Get(asker.RandomKey(&callers[static_cast<size_t>(thread)].random));
    return 1;
  });
}

// One call for 100 keys, as a program with a queue of its own asks.
Json Many(const Words& words, const Asker& asker) {
  std::vector<Caller> callers = Callers(words.Int(1));
  const std::vector<int64_t> sizes(kMany, static_cast<int64_t>(Key(0).size()));
  for (Caller& caller : callers) {
    caller.queue = cohort_queue_new(nullptr);
    caller.answers.resize(kMany);
    caller.events.resize(kMany);
  }
  Json json = Measure<true>(words.Int(1), words.Double(2), asker.watched, 1, [&](int thread, int64_t) {
    Caller& caller = callers[static_cast<size_t>(thread)];
    caller.keys.clear();
    for (int i = 0; i < kMany; ++i) caller.keys += asker.RandomKey(&caller.random);
    int64_t ended = cohort_group_begin_many(asker.member.group, caller.keys.data(), caller.keys.size(), sizes.data(),
                                            kMany, COHORT_GET_LEND, 0, caller.queue, 0, caller.answers.data(), nullptr);
    if (ended < 0) Die("a call for many keys failed");
    for (cohort_answer_t& answer : caller.answers) cohort_value_free(answer.value);
    while (ended < kMany) {
      const int64_t n = cohort_queue_wait(caller.queue, caller.events.data(), kMany, -1);
      for (int64_t i = 0; i < n; ++i) {
        if (caller.events[static_cast<size_t>(i)].status != COHORT_OK) Die("a get failed");
        cohort_event_release(&caller.events[static_cast<size_t>(i)]);
      }
      ended += n;
    }
    return kMany;
  });
  for (const Caller& caller : callers) cohort_queue_free(caller.queue);
  return json;
}

// A number of gets that are always under way, each answer's callback asking for the next key.
class Flow {
 public:
  Flow(const Asker& asker, int in_flight) : asker_(asker), slots_(static_cast<size_t>(in_flight)) {
    for (size_t i = 0; i < slots_.size(); ++i) slots_[i] = Slot{this, {}, Random(i), 0};
    under_way_ = in_flight;
  }

  Json Run(double seconds) {
    Stretch stretch(asker_.watched);
    for (Slot& slot : slots_) Ask(&slot);
    stretch.Wait(seconds);
    stop_ = true;
    while (under_way_.load() != 0) std::this_thread::yield();
    Json json;
    double done = 0;
    for (const Slot& slot : slots_) done += static_cast<double>(slot.done);
    stretch.Report(done, &json);
    Histogram all;
    for (const auto& times : times_) all.Add(*times);
    ReportTimes(all, &json);
    return json;
  }

 private:
  struct Slot {
    Flow* flow;
    SteadyClock::time_point begin;
    Random random{0};
    int64_t done;
  };

  static void Ask(Slot* slot) {
    const Asker& asker = slot->flow->asker_;
    const std::string& key = asker.RandomKey(&slot->random);
    slot->begin = SteadyClock::now();
    cohort_group_get_async(asker.member.group, key.data(), key.size(), 0, 0, OnAnswer, slot, nullptr);
  }

  static void OnAnswer(void* user, cohort_status_t status, cohort_value_t* value, const char* message, size_t size) {
    if (status != COHORT_OK) Die(std::string(message, size));
    cohort_value_free(value);
    auto* slot = static_cast<Slot*>(user);
    Flow* flow = slot->flow;
    flow->TimesOfThread()->Add((SteadyClock::now() - slot->begin).count());
    ++slot->done;
    if (flow->stop_.load(std::memory_order_relaxed)) {
      --flow->under_way_;
    } else {
      Ask(slot);
    }
  }

  // The engine's threads outlive a flow, so each remembers for which one it counts.
  Histogram* TimesOfThread() {
    thread_local Histogram* mine = nullptr;
    thread_local uint64_t of = 0;
    if (of != id_) {
      std::lock_guard lock(mutex_);
      times_.push_back(std::make_unique<Histogram>());
      mine = times_.back().get();
      of = id_;
    }
    return mine;
  }

  static inline std::atomic<uint64_t> last_id{0};
  const uint64_t id_ = ++last_id;
  const Asker& asker_;
  std::vector<Slot> slots_;
  std::atomic<bool> stop_{false};
  std::atomic<int> under_way_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<Histogram>> times_;
};

Json Change(const Words& words, const Asker& asker, bool set) {
  std::vector<Caller> callers = Callers(words.Int(1));
  const std::string value = Value(0, kValueBytes);
  return Measure<true>(words.Int(1), words.Double(2), asker.watched, 1, [&](int thread, int64_t) {
    const std::string& key = asker.RandomKey(&callers[static_cast<size_t>(thread)].random);
    const cohort_status_t status =
        set ? cohort_group_set(asker.member.group, key.data(), key.size(), value.data(), value.size(), 0, 0, nullptr)
            : cohort_group_remove(asker.member.group, key.data(), key.size(), 0, nullptr);
    if (status != COHORT_OK) Die("a change failed");
    return 1;
  });
}

}  // namespace

void ServeOwner(const Flags& flags) {
  Join(Address(flags, int64_t{512} << 20));
  Serve({}, [](const Words&) -> Json { Die("an owner answers its peers only"); });
}

void ServeAsker(const Flags& flags) {
  Asker asker;
  asker.member = Join(Address(flags, flags.Number("-keep", 0) * (int64_t{512} << 20)));
  const std::string& owner = flags.Text("-owner");
  asker.watched = {flags.Number("-owner-pid", 0), PortOf(owner)};
  asker.keys = KeysOf(asker.member, owner, 10'000);
  asker.Verify();
  cohort_group_stats_t stats{};
  cohort_group_stats(asker.member.group, &stats, sizeof(stats));
  if (stats.peer_errors > 0) Die("the owner was not reached");
  Serve({}, [&](const Words& words) {
    if (words[0] == "blocking") return Blocking(words, asker);
    if (words[0] == "many") return Many(words, asker);
    if (words[0] == "set") return Change(words, asker, true);
    if (words[0] == "remove") return Change(words, asker, false);
    if (words[0] != "async") Die("an asker is asked for blocking, async, many, set or remove");
    return Flow(asker, words.Int(1)).Run(words.Double(2));
  });
}

}  // namespace bench

// The face of cohort.h as a runtime of its own uses it: one queue for each member, whose thread takes every event and
// never blocks. A caller that can wait runs the getter itself when it is told to lead.
#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "behaviours/cpp/c_face.h"

namespace behaviours {
namespace {

using Then = std::function<void(Answer)>;

// An open load, taken once: by the getter's end or by the news that nobody waits.
class OpenLoad {
 public:
  explicit OpenLoad(cohort_load_t* load) : load_(load) {}
  cohort_load_t* Take() { return load_.exchange(nullptr); }

 private:
  std::atomic<cohort_load_t*> load_;
};

class QueueMember;

class QueueGroup : public CGroup {
 public:
  QueueGroup(cohort_group_t* handle, QueueMember* member, std::string name, bool can_lead)
      : CGroup(handle), member_(*member), name_(std::move(name)), can_lead_(can_lead) {}

  Answer Get(std::string_view key, int64_t timeout_ms) override;
  std::vector<Answer> GetMany(const std::vector<std::string>& keys, int64_t timeout_ms) override;
  Answer Set(std::string_view key, std::string_view value, int64_t expire_unix_ns, int64_t timeout_ms) override;
  Answer Remove(std::string_view key, int64_t timeout_ms) override;
  Answer RemoveKeys(const std::vector<std::string>& keys, int64_t timeout_ms) override;
  Pending Start(std::string_view key, int64_t timeout_ms) override;
  // `then` runs once, here or on the queue's thread. Returns the ticket; 0: nothing is pending.
  uint64_t Begin(std::string_view key, int32_t flags, int64_t timeout_ms, Then then);

 private:
  template <typename Change>
  Answer Done(Change change);

  QueueMember& member_;
  const std::string name_;
  const bool can_lead_;  // Its callers have a getter to run.
};

class QueueMember : public CMember {
 public:
  QueueMember(int number, StandardGetter& getter) : number_(number), getter_(getter) {
    thread_ = std::thread([this] { TakeEvents(); });
  }
  ~QueueMember() override {
    FreeInstance();  // Every get ends with an event.
    cohort_queue_close(queue_);
    thread_.join();
    cohort_queue_free(queue_);
  }

  Answer NewGroup(const std::string& name, const GroupSpec& spec) override {
    const uint64_t tag = Expect([this, name](cohort_event_t& event) { Load(name, event.load, nullptr); }, true);
    return MakeGroup<QueueGroup>(
        name, spec,
        [&](cohort_group_options_t* options, cohort_error_t* error) {
          cohort_group_options_set_getter_queue(options, queue_, tag, error);
        },
        this, name, spec.has_getter);
  }

  cohort_queue_t* queue() const { return queue_; }

  // Events with the tag that this returns go to `handler`: one, or any number.
  using Handler = std::function<void(cohort_event_t&)>;
  uint64_t Expect(Handler handler, bool many = false) {
    std::lock_guard lock(mutex_);
    handlers_[++last_tag_] = {std::make_shared<Handler>(std::move(handler)), many};
    return last_tag_;
  }
  // As many tags in a row.
  uint64_t ExpectAll(std::vector<Handler> handlers) {
    std::lock_guard lock(mutex_);
    const uint64_t first = last_tag_ + 1;
    for (Handler& each : handlers) handlers_[++last_tag_] = {std::make_shared<Handler>(std::move(each)), false};
    return first;
  }
  void Forget(uint64_t tag) {
    std::lock_guard lock(mutex_);
    handlers_.erase(tag);
  }

  // Runs the getter for a load. `then`: of a caller that leads.
  void Load(const std::string& group, cohort_load_t* load, const Then& then) {
    const std::string key(cohort_load_key(load), static_cast<size_t>(cohort_load_key_size(load)));
    const auto open = std::make_shared<OpenLoad>(load);
    uint64_t watch = 0;
    if (key.compare(0, 5, "hang-") == 0) {
      watch = Expect([open](cohort_event_t&) {
        if (cohort_load_t* const left = open->Take()) PassOn(left, COHORT_LOAD_FAILED, "nobody waits any more");
      });
      cohort_load_watch(load, queue_, watch, nullptr);
    }
    getter_.Begin(number_, group, key, [this, open, watch, then](const Plan& plan) {
      Forget(watch);
      if (plan.kind == Plan::Kind::kGet) {
        static_cast<QueueGroup&>(CGroupOf(plan.group))
            .Begin(plan.key, 0, plan.timeout_ms,
                   [open, then](const Answer& answer) { PassAnswerOn(*open, answer, then); });
        return;
      }
      if (cohort_load_t* const mine = open->Take()) End(mine, plan);
      if (then) then(AnswerOf(plan));
    });
  }

 private:
  struct Expected {
    std::shared_ptr<Handler> handler;
    bool many = false;
  };

  void TakeEvents() {
    cohort_event_t events[16];
    while (cohort_queue_drained(queue_) == 0) {
      const int64_t taken = cohort_queue_wait(queue_, events, 16, -1);
      for (int64_t i = 0; i < taken; ++i) {
        Expected expected;
        {
          std::lock_guard lock(mutex_);
          const auto found = handlers_.find(events[i].tag);
          if (found != handlers_.end()) {
            expected = found->second;
            if (!expected.many) handlers_.erase(found);
          }
        }
        if (expected.handler != nullptr) {
          (*expected.handler)(events[i]);
          events[i].load = nullptr;  // Every handler of a load takes it over.
        }
        cohort_event_release(&events[i]);
      }
    }
  }

  // What a caller that leads gets: its own getter's end.
  static Answer AnswerOf(const Plan& plan) {
    switch (plan.kind) {
      case Plan::Kind::kValue:
        return Answer::Of(cohort_value_new(plan.bytes.data(), plan.bytes.size(), plan.expire_unix_ns, nullptr),
                          COHORT_SOURCE_LOAD);
      case Plan::Kind::kNotFound:
        return Answer::Failed(COHORT_NOT_FOUND, plan.bytes);
      case Plan::Kind::kDrop:
        return Answer::Failed(COHORT_LOAD_ABANDONED, "the caller let go of its load");
      default:
        return Answer::Failed(COHORT_LOAD_FAILED, plan.bytes);
    }
  }
  static void PassAnswerOn(OpenLoad& open, const Answer& answer, const Then& then) {
    cohort_load_t* const load = open.Take();
    if (answer.error.empty()) {
      if (load != nullptr) {
        cohort_load_complete(load, answer.value.data(), answer.value.size(), answer.expire_unix_ns.value_or(0),
                             nullptr);
      }
      if (then) then(answer);
      return;
    }
    const cohort_status_t status = answer.error == "not_found" ? COHORT_NOT_FOUND : COHORT_LOAD_FAILED;
    if (load != nullptr) PassOn(load, status, answer.message);
    if (then) then(Answer::Failed(status, answer.message));
  }

  const int number_;
  StandardGetter& getter_;
  cohort_queue_t* const queue_ = cohort_queue_new(nullptr);
  std::mutex mutex_;
  uint64_t last_tag_ = 0;
  std::unordered_map<uint64_t, Expected> handlers_;
  std::thread thread_;
};

Answer AnswerOf(cohort_event_t& event) {
  if (event.status == COHORT_OK && event.kind == COHORT_EVENT_GET) {
    return Answer::Of(std::exchange(event.value, nullptr), event.source);
  }
  if (event.status == COHORT_OK) return {};
  return Answer::Failed(event.status,
                        std::string(static_cast<const char*>(event.data), static_cast<size_t>(event.size)));
}

uint64_t QueueGroup::Begin(std::string_view key, int32_t flags, int64_t timeout_ms, Then then) {
  const uint64_t tag = member_.Expect([this, then](cohort_event_t& event) {
    if (event.kind == COHORT_EVENT_LEAD) return member_.Load(name_, event.load, then);
    then(AnswerOf(event));
  });
  cohort_answer_t answer;
  Error error;
  const int32_t begun = cohort_group_begin(handle(), key.data(), key.size(), nullptr, 0, flags, timeout_ms,
                                           member_.queue(), tag, &answer, error);
  if (begun == COHORT_BEGIN_PENDING) return answer.ticket;
  member_.Forget(tag);
  if (begun == COHORT_BEGIN_HIT) {
    then(Answer::Of(answer.value, answer.source));
  } else if (begun == COHORT_BEGIN_LEAD) {
    member_.Load(name_, answer.load, then);
  } else {
    then(error.answer());
  }
  return 0;
}

Answer QueueGroup::Get(std::string_view key, int64_t timeout_ms) {
  const auto promise = std::make_shared<std::promise<Answer>>();
  Begin(key, can_lead_ ? COHORT_GET_CAN_LEAD : 0, timeout_ms,
        [promise](Answer answer) { promise->set_value(std::move(answer)); });
  return promise->get_future().get();
}

Pending QueueGroup::Start(std::string_view key, int64_t timeout_ms) {
  const auto promise = std::make_shared<std::promise<Answer>>();
  const uint64_t ticket =
      Begin(key, 0, timeout_ms, [promise](Answer answer) { promise->set_value(std::move(answer)); });
  return {promise->get_future(), [this, ticket] { cohort_group_cancel(handle(), ticket); }};
}

std::vector<Answer> QueueGroup::GetMany(const std::vector<std::string>& keys, int64_t timeout_ms) {
  std::vector<std::shared_ptr<std::promise<Answer>>> promises;
  std::vector<QueueMember::Handler> handlers;
  for (size_t i = 0; i < keys.size(); ++i) {
    promises.push_back(std::make_shared<std::promise<Answer>>());
    handlers.emplace_back([promise = promises.back()](cohort_event_t& event) { promise->set_value(AnswerOf(event)); });
  }
  const Packed packed(keys);
  std::vector<cohort_answer_t> hits(keys.size());
  Error error;
  const uint64_t first_tag = member_.ExpectAll(std::move(handlers));
  const int64_t begun =
      cohort_group_begin_many(handle(), packed.bytes.data(), packed.bytes.size(), packed.sizes.data(), keys.size(), 0,
                              timeout_ms, member_.queue(), first_tag, hits.data(), error);
  std::vector<Answer> answers;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (begun < 0 || hits[i].value != nullptr) {
      member_.Forget(first_tag + i);
      if (begun >= 0) answers.push_back(Answer::Of(hits[i].value, hits[i].source));
    } else {
      answers.push_back(promises[i]->get_future().get());
    }
  }
  if (begun < 0) return {error.answer()};
  return answers;
}

template <typename Change>
Answer QueueGroup::Done(Change change) {
  const auto promise = std::make_shared<std::promise<Answer>>();
  const uint64_t tag = member_.Expect([promise](cohort_event_t& event) { promise->set_value(AnswerOf(event)); });
  Error error;
  if (change(tag, error) != COHORT_OK) {
    member_.Forget(tag);
    return error.answer();
  }
  return promise->get_future().get();
}

Answer QueueGroup::Set(std::string_view key, std::string_view value, int64_t expire_unix_ns, int64_t timeout_ms) {
  return Done([&](uint64_t tag, cohort_error_t* error) {
    return cohort_group_set_queue(handle(), key.data(), key.size(), value.data(), value.size(), expire_unix_ns,
                                  timeout_ms, member_.queue(), tag, error);
  });
}

Answer QueueGroup::Remove(std::string_view key, int64_t timeout_ms) {
  return Done([&](uint64_t tag, cohort_error_t* error) {
    return cohort_group_remove_queue(handle(), key.data(), key.size(), timeout_ms, member_.queue(), tag, error);
  });
}

Answer QueueGroup::RemoveKeys(const std::vector<std::string>& keys, int64_t timeout_ms) {
  const Packed packed(keys);
  return Done([&](uint64_t tag, cohort_error_t* error) {
    return cohort_group_remove_keys_queue(handle(), packed.bytes.data(), packed.bytes.size(), packed.sizes.data(),
                                          packed.sizes.size(), timeout_ms, member_.queue(), tag, error);
  });
}

}  // namespace

Face QueueFace() {
  const NewMember new_member = [](int number, StandardGetter& getter) {
    return std::make_unique<QueueMember>(number, getter);
  };
  return {"CQueue", [new_member] { return new_member; }, {{"panic-", "C has nothing to panic with"}}};
}

}  // namespace behaviours

// The face of cohort.h as a C program uses it that has no loop of its own: blocking calls, and callbacks.
#include <map>
#include <utility>

#include "behaviours/cpp/c_face.h"
#include "behaviours/cpp/standard_getter.h"

namespace behaviours {
namespace {

class CallbackGroup : public CGroup {
 public:
  using CGroup::CGroup;

  Answer Get(std::string_view key, int64_t timeout_ms) override {
    Error error;
    cohort_value_t* const value = cohort_group_get(handle(), key.data(), key.size(), 0, timeout_ms, error);
    return value != nullptr ? Answer::Of(value, COHORT_SOURCE_NONE) : error.answer();
  }
  std::vector<Answer> GetMany(const std::vector<std::string>& keys, int64_t timeout_ms) override {
    // The one call that C has for this needs a queue; callbacks come for one key at a time.
    std::vector<Pending> started;
    for (const std::string& key : keys) started.push_back(Start(key, timeout_ms));
    std::vector<Answer> answers;
    for (Pending& each : started) answers.push_back(each.answer.get());
    return answers;
  }
  Answer Set(std::string_view key, std::string_view value, int64_t expire_unix_ns, int64_t timeout_ms) override {
    return Done([&](cohort_done_fn done, void* user, cohort_error_t* error) {
      return cohort_group_set_async(handle(), key.data(), key.size(), value.data(), value.size(), expire_unix_ns,
                                    timeout_ms, done, user, error);
    });
  }
  Answer Remove(std::string_view key, int64_t timeout_ms) override {
    return Done([&](cohort_done_fn done, void* user, cohort_error_t* error) {
      return cohort_group_remove_async(handle(), key.data(), key.size(), timeout_ms, done, user, error);
    });
  }
  Answer RemoveKeys(const std::vector<std::string>& keys, int64_t timeout_ms) override {
    const Packed packed(keys);
    return Done([&](cohort_done_fn done, void* user, cohort_error_t* error) {
      return cohort_group_remove_keys_async(handle(), packed.bytes.data(), packed.bytes.size(), packed.sizes.data(),
                                            packed.sizes.size(), timeout_ms, done, user, error);
    });
  }
  Pending Start(std::string_view key, int64_t timeout_ms) override {
    auto* const promise = new std::promise<Answer>();
    Pending pending{promise->get_future(), [] {}};
    Error error;
    const uint64_t ticket = cohort_group_get_async(
        handle(), key.data(), key.size(), 0, timeout_ms,
        [](void* user, cohort_status_t status, cohort_value_t* value, const char* message, size_t message_size) {
          const std::unique_ptr<std::promise<Answer>> own(static_cast<std::promise<Answer>*>(user));
          own->set_value(status == COHORT_OK ? Answer::Of(value, COHORT_SOURCE_NONE)
                                             : Answer::Failed(status, std::string(message, message_size)));
        },
        promise, error);
    if (ticket == 0) {
      promise->set_value(error.answer());
      delete promise;
    }
    pending.cancel = [this, ticket] { cohort_group_cancel(handle(), ticket); };
    return pending;
  }

 private:
  template <typename Begin>
  static Answer Done(Begin begin) {
    std::promise<Answer> promise;
    Error error;
    const cohort_status_t status = begin(
        [](void* user, cohort_status_t result, const char* message, size_t message_size) {
          static_cast<std::promise<Answer>*>(user)->set_value(
              result == COHORT_OK ? Answer() : Answer::Failed(result, std::string(message, message_size)));
        },
        &promise, error);
    return status == COHORT_OK ? promise.get_future().get() : error.answer();
  }
};

class CallbackMember : public CMember {
 public:
  CallbackMember(int number, StandardGetter& getter) : number_(number), getter_(getter) {}
  ~CallbackMember() override { FreeInstance(); }

  Answer NewGroup(const std::string& name, const GroupSpec& spec) override {
    return MakeGroup<CallbackGroup>(name, spec, [&](cohort_group_options_t* options, cohort_error_t* error) {
      cohort_group_options_set_getter(
          options,
          [](void* user, cohort_load_t* load, const char* key, size_t key_size) {
            const auto* const of = static_cast<const GetterOf*>(user);
            of->member->Load(of->group, load, std::string(key, key_size));
          },
          [](void* user) { delete static_cast<GetterOf*>(user); }, new GetterOf{this, name}, error);
    });
  }

 private:
  struct GetterOf {
    CallbackMember* member;
    std::string group;
  };

  void Load(const std::string& group, cohort_load_t* load, const std::string& key) {
    const Plan plan = getter_.Wait(number_, group, key);
    if (plan.kind == Plan::Kind::kGet) {
      Error error;
      cohort_value_t* const value =
          cohort_group_get(CGroupOf(plan.group).handle(), plan.key.data(), plan.key.size(), 0, plan.timeout_ms, error);
      if (value == nullptr) {
        PassOn(load, error.status(), error.message());
      } else {
        cohort_load_complete_value(load, value, nullptr);
        cohort_value_free(value);
      }
      return;
    }
    End(load, plan);
  }

  const int number_;
  StandardGetter& getter_;
};

}  // namespace

Face CallbackFace() {
  const NewMember new_member = [](int number, StandardGetter& getter) {
    return std::make_unique<CallbackMember>(number, getter);
  };
  return {"C", [new_member] { return new_member; }, {{"panic-", "C has nothing to panic with"}}};
}

}  // namespace behaviours

// What the two faces of the C ABI share: handles, errors, and the calls that are the same by callback and by queue.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "behaviours/cpp/face.h"
#include "behaviours/cpp/standard_getter.h"

namespace behaviours {

// The error object of a call.
class Error {
 public:
  operator cohort_error_t*() const { return error_.get(); }  // NOLINT(google-explicit-constructor)
  cohort_status_t status() const { return cohort_error_status(error_.get()); }
  std::string message() const {
    return {cohort_error_message(error_.get()), static_cast<size_t>(cohort_error_message_size(error_.get()))};
  }
  Answer answer() const { return Answer::Failed(status(), message()); }

 private:
  std::unique_ptr<cohort_error_t, void (*)(cohort_error_t*)> error_{cohort_error_new(), &cohort_error_free};
};

// Keys one after the other, and the size of each.
struct Packed {
  explicit Packed(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      bytes += key;
      sizes.push_back(static_cast<int64_t>(key.size()));
    }
  }
  std::string bytes;
  std::vector<int64_t> sizes;
};

class CGroup : public Group {
 public:
  explicit CGroup(cohort_group_t* handle) : handle_(handle, &cohort_group_free) {}
  cohort_group_t* handle() const { return handle_.get(); }

  Answer Peek(std::string_view key) override {
    Answer answer;
    // What fits is copied, what does not is looked up: both ways of C.
    auto copy = std::make_shared<std::string>(64, '\0');
    const int64_t size = cohort_group_try_copy(handle(), key.data(), key.size(), copy->data(), copy->size());
    if (size > static_cast<int64_t>(copy->size())) {
      cohort_value_t* const value = cohort_group_lookup(handle(), key.data(), key.size());
      if (value != nullptr) return Answer::Of(value, COHORT_SOURCE_NONE);
    }
    answer.miss = size < 0 || size > static_cast<int64_t>(copy->size());
    if (!answer.miss) {
      answer.value = std::string_view(*copy).substr(0, static_cast<size_t>(size));
      answer.held = std::move(copy);
    }
    return answer;
  }
  Answer ResetCache(int64_t cache_bytes) override {
    Error error;
    return cohort_group_reset_cache(handle(), cache_bytes, error) == COHORT_OK ? Answer() : error.answer();
  }
  cohort_group_stats_t Stats() override {
    cohort_group_stats_t stats{};
    cohort_group_stats(handle(), &stats, sizeof stats);
    return stats;
  }
  cohort_cache_stats_t CacheStats(int32_t tier) override {
    cohort_cache_stats_t stats{};
    cohort_group_cache_stats(handle(), tier, &stats, sizeof stats);
    return stats;
  }

 private:
  std::unique_ptr<cohort_group_t, void (*)(cohort_group_t*)> handle_;
};

class CMember : public Member {
 public:
  CMember() : instance_(cohort_instance_new(nullptr, nullptr)) {}

  Group& FindGroup(const std::string& name) override { return CGroupOf(name); }
  CGroup& CGroupOf(const std::string& name) { return *groups_.at(name); }
  Answer CloseGroup(const std::string& name) override {
    return Call([&](cohort_error_t* error) {
      return cohort_instance_remove_group(instance_, name.data(), name.size(), error);
    });
  }
  std::string Listen(const std::string& address) override {
    Error error;
    cohort_instance_listen(instance_, address.data(), address.size(), error);
    cohort_value_t* const resolved = cohort_instance_listen_address(instance_, error);
    return std::string(Answer::Of(resolved, COHORT_SOURCE_NONE).value);
  }
  void StopListening() override { cohort_instance_stop_listening(instance_, 0, nullptr); }
  Answer SetPeers(const std::vector<std::string>& addresses, const std::string& self) override {
    std::string lines;
    for (const std::string& each : addresses) lines += (lines.empty() ? "" : "\n") + each;
    return Call([&](cohort_error_t* error) {
      return cohort_instance_set_peers(instance_, lines.data(), lines.size(), self.data(), self.size(), error);
    });
  }
  std::string Owner(std::string_view key) override {
    const Answer owner =
        Answer::Of(cohort_instance_owner(instance_, key.data(), key.size(), nullptr), COHORT_SOURCE_NONE);
    return std::string(owner.value);
  }
  void Close() override { cohort_instance_shutdown(instance_, 0, nullptr); }

 protected:
  template <typename Made, typename SetGetter, typename... Arguments>
  Answer MakeGroup(const std::string& name, const GroupSpec& spec, SetGetter set_getter, Arguments&&... arguments) {
    const std::unique_ptr<cohort_group_options_t, void (*)(cohort_group_options_t*)> options(
        cohort_group_options_new(), &cohort_group_options_free);
    Error error;
    cohort_group_options_set_cache_bytes(options.get(), spec.cache_bytes, error);
    if (spec.load_timeout_ms > 0) {
      cohort_group_options_set_load_timeout_ms(options.get(), spec.load_timeout_ms, error);
    }
    if (spec.has_getter) set_getter(options.get(), error);
    cohort_group_t* const group = cohort_instance_new_group(instance_, name.data(), name.size(), options.get(), error);
    if (group == nullptr) return error.answer();
    groups_[name] = std::make_unique<Made>(group, std::forward<Arguments>(arguments)...);
    return {};
  }
  template <typename Function>
  static Answer Call(Function function) {
    Error error;
    return function(error) == COHORT_OK ? Answer() : error.answer();
  }
  // Getters use the members of the derived class: its destructor calls this.
  void FreeInstance() { cohort_instance_free(instance_); }

  // Ends a load as planned.
  static void End(cohort_load_t* load, const Plan& plan) {
    switch (plan.kind) {
      case Plan::Kind::kValue:
        cohort_load_complete(load, plan.bytes.data(), plan.bytes.size(), plan.expire_unix_ns, nullptr);
        return;
      case Plan::Kind::kNotFound:
        return PassOn(load, COHORT_NOT_FOUND, plan.bytes);
      case Plan::Kind::kFail:
      case Plan::Kind::kPanic:
        return PassOn(load, COHORT_LOAD_FAILED, plan.bytes);
      case Plan::Kind::kDrop:
      case Plan::Kind::kGet:
        return cohort_load_free(load);
    }
  }
  static void PassOn(cohort_load_t* load, cohort_status_t status, const std::string& message) {
    cohort_load_fail(load, status == COHORT_NOT_FOUND ? status : COHORT_LOAD_FAILED, message.data(), message.size(), 0);
  }

 private:
  cohort_instance_t* const instance_;
  std::map<std::string, std::unique_ptr<CGroup>> groups_;
};

}  // namespace behaviours

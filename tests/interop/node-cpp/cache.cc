#include "cache.h"

#include <cohort/cohort.h>

#include <cstdio>
#include <latch>
#include <stdexcept>

namespace {

std::string_view View(const char* data, size_t size) {
  return size == 0 ? std::string_view() : std::string_view(data, size);
}

Answer Failure(cohort_status_t status, std::string message) {
  const char* kind = status == COHORT_NOT_FOUND ? "notfound" : status == COHORT_REMOTE_FAILED ? "remote" : "other";
  return {kind, std::move(message), "", 0};
}

// Takes over the value.
Answer Success(cohort_value_t* value) {
  Answer answer;
  answer.value =
      View(static_cast<const char*>(cohort_value_data(value)), static_cast<size_t>(cohort_value_size(value)));
  answer.expire_unix_ns = cohort_value_expire_unix_ns(value);
  cohort_value_free(value);
  return answer;
}

// An error object for one call.
class Error {
 public:
  ~Error() { cohort_error_free(error_); }
  operator cohort_error_t*() { return error_; }
  std::string message() const {
    return std::string(View(cohort_error_message(error_), static_cast<size_t>(cohort_error_message_size(error_))));
  }
  Answer answer(cohort_status_t status) const { return status == COHORT_OK ? Answer() : Failure(status, message()); }
  Answer answer() const { return Failure(cohort_error_status(error_), message()); }
  void Check(cohort_status_t status) const {
    if (status != COHORT_OK) {
      throw std::runtime_error(message());
    }
  }

 private:
  cohort_error_t* const error_ = cohort_error_new();
};

void Log(void*, int32_t level, const char* message, size_t message_size) {
  std::fprintf(stderr, "level %d: %.*s\n", level, static_cast<int>(message_size), message);
}

void Load(void* user, cohort_load_t* load, const char* key, size_t key_size) {
  const Loader::Result result = static_cast<Loader*>(user)->Load(std::string(View(key, key_size)));
  if (result.kind == Loader::Result::kValue) {
    cohort_load_complete(load, result.text.data(), result.text.size(), result.expire_unix_ns, nullptr);
  } else {
    cohort_load_fail(load, result.kind == Loader::Result::kNotFound ? COHORT_NOT_FOUND : COHORT_LOAD_FAILED,
                     result.text.data(), result.text.size(), 0);
  }
}

// One of many gets under way.
struct Waiting {
  Answer* answer;
  std::latch* done;
};

void Done(void* user, cohort_status_t status, cohort_value_t* value, const char* message, size_t message_size) {
  const std::unique_ptr<Waiting> waiting(static_cast<Waiting*>(user));
  *waiting->answer = status == COHORT_OK ? Success(value) : Failure(status, std::string(View(message, message_size)));
  waiting->done->count_down();
}

}  // namespace

struct Cache::Impl {
  cohort_instance_t* instance = nullptr;
  cohort_group_t* group = nullptr;
  ~Impl() {
    cohort_group_free(group);
    cohort_instance_free(instance);
  }
};

Cache::Cache(const Options& options, Loader* loader) : impl_(std::make_unique<Impl>()) {
  Error error;
  const std::unique_ptr<cohort_instance_options_t, void (*)(cohort_instance_options_t*)> instance_options(
      cohort_instance_options_new(), &cohort_instance_options_free);
  error.Check(
      cohort_instance_options_set_name(instance_options.get(), options.name.data(), options.name.size(), error));
  error.Check(cohort_instance_options_set_replicas(instance_options.get(), options.replicas, error));
  error.Check(
      cohort_instance_options_set_logger(instance_options.get(), COHORT_LOG_INFO, &Log, nullptr, nullptr, error));
  impl_->instance = cohort_instance_new(instance_options.get(), error);
  error.Check(cohort_error_status(error));

  const std::unique_ptr<cohort_group_options_t, void (*)(cohort_group_options_t*)> group_options(
      cohort_group_options_new(), &cohort_group_options_free);
  error.Check(cohort_group_options_set_cache_bytes(group_options.get(), options.cache_bytes, error));
  error.Check(cohort_group_options_set_getter(group_options.get(), &Load, nullptr, loader, error));
  impl_->group = cohort_instance_new_group(impl_->instance, options.group.data(), options.group.size(),
                                           group_options.get(), error);
  error.Check(cohort_error_status(error));
  error.Check(cohort_instance_listen(impl_->instance, options.listen.data(), options.listen.size(), error));
}

Cache::~Cache() = default;

Answer Cache::SetPeers(const std::vector<std::string>& addresses, const std::string& self) {
  std::string joined;
  for (const std::string& address : addresses) {
    joined += (joined.empty() ? "" : "\n") + address;
  }
  Error error;
  return error.answer(
      cohort_instance_set_peers(impl_->instance, joined.data(), joined.size(), self.data(), self.size(), error));
}

std::string Cache::Owner(const std::string& key) {
  Error error;
  cohort_value_t* owner = cohort_instance_owner(impl_->instance, key.data(), key.size(), error);
  error.Check(cohort_error_status(error));
  return Success(owner).value;
}

Answer Cache::Get(const std::string& key, int64_t timeout_ms) {
  Error error;
  cohort_value_t* value = cohort_group_get(impl_->group, key.data(), key.size(), 0, timeout_ms, error);
  return value != nullptr ? Success(value) : error.answer();
}

std::vector<Answer> Cache::GetMany(const std::vector<std::string>& keys) {
  std::vector<Answer> answers(keys.size());
  std::latch done(static_cast<std::ptrdiff_t>(keys.size()));
  for (size_t i = 0; i < keys.size(); ++i) {
    Error error;
    auto waiting = std::make_unique<Waiting>(Waiting{&answers[i], &done});
    if (cohort_group_get_async(impl_->group, keys[i].data(), keys[i].size(), 0, 0, &Done, waiting.get(), error) == 0 &&
        cohort_error_status(error) != COHORT_OK) {
      answers[i] = error.answer();
      done.count_down();
    } else {
      waiting.release();  // NOLINT: Done owns it now
    }
  }
  done.wait();
  return answers;
}

Answer Cache::Set(const std::string& key, const std::string& value, int64_t expire_unix_ns) {
  Error error;
  return error.answer(
      cohort_group_set(impl_->group, key.data(), key.size(), value.data(), value.size(), expire_unix_ns, 0, error));
}

Answer Cache::Remove(const std::string& key) {
  Error error;
  return error.answer(cohort_group_remove(impl_->group, key.data(), key.size(), 0, error));
}

Answer Cache::RemoveKeys(const std::vector<std::string>& keys) {
  std::string packed;
  std::vector<int64_t> sizes;
  for (const std::string& key : keys) {
    packed += key;
    sizes.push_back(static_cast<int64_t>(key.size()));
  }
  Error error;
  return error.answer(
      cohort_group_remove_keys(impl_->group, packed.data(), packed.size(), sizes.data(), sizes.size(), 0, error));
}

std::map<std::string, int64_t> Cache::Stats() {
  cohort_group_stats_t stats = {};
  cohort_cache_stats_t main = {};
  cohort_cache_stats_t hot = {};
  cohort_group_stats(impl_->group, &stats, sizeof stats);
  cohort_group_cache_stats(impl_->group, COHORT_TIER_MAIN, &main, sizeof main);
  cohort_group_cache_stats(impl_->group, COHORT_TIER_HOT, &hot, sizeof hot);
  return {{"gets", stats.gets},
          {"cache_hits", stats.cache_hits},
          {"peer_loads", stats.peer_loads},
          {"peer_errors", stats.peer_errors},
          {"loads", stats.loads},
          {"loads_deduped", stats.loads_deduped},
          {"local_loads", stats.local_loads},
          {"local_load_errs", stats.local_load_errors},
          {"main_bytes", main.bytes},
          {"hot_bytes", hot.bytes}};
}

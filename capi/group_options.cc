// Group options: how a group is made, and the engine's view of the host's getter, listener and caches.
#include <string_view>

#include "capi/check.h"
#include "capi/fence.h"
#include "capi/settings.h"

using cohort::Policy;
using cohort::Status;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace cohort::capi {
namespace {

constexpr int64_t kMaxLoadTimeoutMs = int64_t{24} * 3600 * 1000;

// A tier that the host keeps.
class HostTier final : public CustomTier {
 public:
  HostTier(cohort_cache_get_fn get, cohort_cache_add_fn add, cohort_cache_remove_fn remove, std::shared_ptr<User> user)
      : get_(get), add_(add), remove_(remove), user_(std::move(user)) {}

  ValueRef Get(std::string_view key) override { return Held(get_(user_->get(), Pointer(key), key.size())).Adopt(); }
  void Add(std::string_view key, const ValueRef& value) override {
    add_(user_->get(), Pointer(key), key.size(), Show(value));
  }
  void Remove(std::string_view key) override { remove_(user_->get(), Pointer(key), key.size()); }
  void Clear() override { remove_(user_->get(), nullptr, 0); }

 private:
  // NULL means every key: an empty one is not NULL.
  static const char* Pointer(std::string_view key) { return key.data() == nullptr ? "" : key.data(); }

  const cohort_cache_get_fn get_;
  const cohort_cache_add_fn add_;
  const cohort_cache_remove_fn remove_;
  const std::shared_ptr<User> user_;
};

std::shared_ptr<Getter> ToGetter(const GroupSettings& settings, uint64_t instance_id) {
  if (settings.getter_queue != nullptr) {
    return std::make_shared<QueueGetter>(settings.getter_queue, settings.getter_tag);
  }
  if (settings.getter == nullptr) return nullptr;
  return std::make_shared<CallbackGetter>(
      [getter = settings.getter, user = settings.getter_user, instance_id](std::unique_ptr<Load> load) {
        // The key is a copy: the getter may end the load, and with it the key, before it returns.
        const std::string key(load->key());
        const CallbackScope scope(instance_id);
        getter(user->get(), ToHandle(std::move(load)), key.data(), key.size());
      });
}

}  // namespace

GroupOptions ToGroupOptions(const GroupSettings& settings, uint64_t instance_id) {
  GroupOptions options;
  options.cache = settings.cache;
  options.load_timeout_ms = settings.load_timeout_ms;
  options.getter = ToGetter(settings, instance_id);
  if (settings.evicted != nullptr) {
    options.cache.on_evict = [evicted = settings.evicted, user = settings.evicted_user, instance_id](
                                 Tier tier, EvictReason reason, const ValueRef& value) {
      const CallbackScope scope(instance_id);
      const std::string_view key = value->key();
      evicted(user->get(), static_cast<int32_t>(tier), static_cast<int32_t>(reason), key.data(), key.size(),
              Show(value));
    };
  }
  return options;
}

}  // namespace cohort::capi

extern "C" {

cohort_group_options_t* cohort_group_options_new(void) {
  return FenceQuiet<cohort_group_options_t*>(nullptr, [] { return new cohort_group_options_t(); });
}

void cohort_group_options_free(cohort_group_options_t* options) { FreeHandle(options); }

cohort_status_t cohort_group_options_set_cache_bytes(cohort_group_options_t* options, int64_t cache_bytes,
                                                     cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(options, "options").ok()) return check.status();
    options->settings.cache.cache_bytes = cache_bytes;
    return Status();
  });
}

cohort_status_t cohort_group_options_set_max_entries(cohort_group_options_t* options, int64_t max_entries,
                                                     cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(options, "options").Range(max_entries, 0, INT64_MAX, "max_entries").ok()) return check.status();
    options->settings.cache.max_entries = max_entries;
    return Status();
  });
}

static_assert(COHORT_POLICY_LRU == static_cast<int32_t>(Policy::kLru));
static_assert(COHORT_POLICY_ADAPTIVE == static_cast<int32_t>(Policy::kAdaptive));

cohort_status_t cohort_group_options_set_policy(cohort_group_options_t* options, int32_t policy,
                                                cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    check.Handle(options, "options");
    if (!check.Range(policy, COHORT_POLICY_LRU, COHORT_POLICY_ADAPTIVE, "policy").ok()) return check.status();
    options->settings.cache.policy = static_cast<Policy>(policy);
    return Status();
  });
}

cohort_status_t cohort_group_options_set_load_timeout_ms(cohort_group_options_t* options, int64_t load_timeout_ms,
                                                         cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    check.Handle(options, "options");
    if (!check.Range(load_timeout_ms, 1, kMaxLoadTimeoutMs, "load_timeout_ms").ok()) return check.status();
    options->settings.load_timeout_ms = load_timeout_ms;
    return Status();
  });
}

cohort_status_t cohort_group_options_set_getter(cohort_group_options_t* options, cohort_getter_fn getter,
                                                cohort_destroy_fn destroy, void* user, cohort_error_t* error) {
  return Fence(error, [&] {
    std::shared_ptr<User> held = TakeUser(destroy, user);
    Check check;
    if (!check.Handle(options, "options").NotNull(getter, "getter").ok()) return check.status();
    GroupSettings& settings = options->settings;
    settings.getter = getter;
    settings.getter_user = std::move(held);
    settings.getter_queue.reset();
    return Status();
  });
}

cohort_status_t cohort_group_options_set_getter_queue(cohort_group_options_t* options, cohort_queue_t* queue,
                                                      uint64_t tag, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(options, "options").Handle(queue, "queue").ok()) return check.status();
    GroupSettings& settings = options->settings;
    settings.getter = nullptr;
    settings.getter_user.reset();
    settings.getter_queue = queue->queue;
    settings.getter_tag = tag;
    return Status();
  });
}

cohort_status_t cohort_group_options_set_eviction_listener(cohort_group_options_t* options, cohort_evicted_fn evicted,
                                                           cohort_destroy_fn destroy, void* user,
                                                           cohort_error_t* error) {
  return Fence(error, [&] {
    std::shared_ptr<User> held = TakeUser(destroy, user);
    Check check;
    if (!check.Handle(options, "options").NotNull(evicted, "evicted").ok()) return check.status();
    options->settings.evicted = evicted;
    options->settings.evicted_user = std::move(held);
    return Status();
  });
}

cohort_status_t cohort_group_options_set_cache(cohort_group_options_t* options, int32_t tier, cohort_cache_get_fn get,
                                               cohort_cache_add_fn add, cohort_cache_remove_fn remove,
                                               cohort_destroy_fn destroy, void* user, cohort_error_t* error) {
  return Fence(error, [&] {
    std::shared_ptr<User> held = TakeUser(destroy, user);
    Check check;
    check.Handle(options, "options").Range(tier, COHORT_TIER_MAIN, COHORT_TIER_HOT, "tier");
    if (!check.NotNull(get, "get").NotNull(add, "add").NotNull(remove, "remove").ok()) return check.status();
    auto kept = std::make_shared<HostTier>(get, add, remove, std::move(held));
    cohort::CacheOptions& cache = options->settings.cache;
    (tier == COHORT_TIER_MAIN ? cache.custom_main : cache.custom_hot) = std::move(kept);
    return Status();
  });
}

}  // extern "C"

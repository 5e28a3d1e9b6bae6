// What the tests of the C ABI share: owners for handles and events, members of a cluster, and gates to wait at.
#pragma once

#include <cohort/cohort.h>
#include <dirent.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace capi_test {

struct Free {
  void operator()(cohort_error_t* h) const { cohort_error_free(h); }
  void operator()(cohort_value_t* h) const { cohort_value_free(h); }
  void operator()(cohort_queue_t* h) const { cohort_queue_free(h); }
  void operator()(cohort_instance_options_t* h) const { cohort_instance_options_free(h); }
  void operator()(cohort_instance_t* h) const { cohort_instance_free(h); }
  void operator()(cohort_group_options_t* h) const { cohort_group_options_free(h); }
  void operator()(cohort_group_t* h) const { cohort_group_free(h); }
  void operator()(cohort_load_t* h) const { cohort_load_free(h); }
  void operator()(cohort_transport_t* h) const { cohort_transport_free(h); }
  void operator()(cohort_request_t* h) const { cohort_request_free(h); }
  void operator()(cohort_response_t* h) const { cohort_response_free(h); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

class Error {
 public:
  operator cohort_error_t*() { return error_.get(); }  // NOLINT(google-explicit-constructor)
  cohort_status_t status() const { return cohort_error_status(error_.get()); }
  std::string message() const {
    return std::string(cohort_error_message(error_.get()),
                       static_cast<size_t>(cohort_error_message_size(error_.get())));
  }

 private:
  Owned<cohort_error_t> error_{cohort_error_new()};
};

inline std::string Bytes(const cohort_value_t* value) {
  if (value == nullptr) return "(no value)";
  return std::string(static_cast<const char*>(cohort_value_data(value)), static_cast<size_t>(cohort_value_size(value)));
}
inline std::string Bytes(const Owned<cohort_value_t>& value) { return Bytes(value.get()); }

// A count that threads raise and wait for.
class Gate {
 public:
  void Add(int n = 1) {
    std::lock_guard<std::mutex> lock(mutex_);
    count_ += n;
    changed_.notify_all();
  }
  void WaitFor(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }
  int count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

// ---- queues

inline Owned<cohort_queue_t> NewQueue() {
  Error error;
  Owned<cohort_queue_t> queue(cohort_queue_new(error));
  EXPECT_NE(queue, nullptr) << error.message();
  return queue;
}

// An event that is released in the end.
class Event {
 public:
  Event() : event_() {}
  explicit Event(const cohort_event_t& event) : event_(event) {}
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, cohort_event_t())) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
  }
  ~Event() { cohort_event_release(&event_); }
  const cohort_event_t* operator->() const { return &event_; }
  cohort_event_t& get() { return event_; }
  std::string data() const {
    return event_.data == nullptr
               ? std::string()
               : std::string(static_cast<const char*>(event_.data), static_cast<size_t>(event_.size));
  }
  cohort_load_t* TakeLoad() { return std::exchange(event_.load, nullptr); }
  cohort_request_t* TakeRequest() { return std::exchange(event_.request, nullptr); }

 private:
  cohort_event_t event_;
};

constexpr int64_t kPatienceMs = 60'000;  // Only a test that fails waits as long.

inline std::vector<Event> Take(const Owned<cohort_queue_t>& queue, size_t count) {
  std::vector<Event> taken;
  std::vector<cohort_event_t> batch(count);
  while (taken.size() < count) {
    const int64_t n = cohort_queue_wait(queue.get(), batch.data(), count - taken.size(), kPatienceMs);
    if (n == 0) {
      ADD_FAILURE() << "only " << taken.size() << " of " << count << " events came";
      break;
    }
    for (int64_t i = 0; i < n; ++i) taken.emplace_back(batch[static_cast<size_t>(i)]);
  }
  return taken;
}
inline Event TakeOne(const Owned<cohort_queue_t>& queue) {
  std::vector<Event> taken = Take(queue, 1);
  return taken.empty() ? Event() : std::move(taken[0]);
}
inline bool Empty(const Owned<cohort_queue_t>& queue) {
  cohort_event_t event;
  if (cohort_queue_wait(queue.get(), &event, 1, 0) == 0) return true;
  cohort_event_release(&event);
  return false;
}

// ---- getters

// Answers "<prefix><key>" and counts its runs; other answers by key. Destroyed by the library.
class Getter {
 public:
  using Run = std::function<void(cohort_load_t* load, const std::string& key)>;
  explicit Getter(Run run) : run_(std::move(run)) {}
  static void Call(void* user, cohort_load_t* load, const char* key, size_t key_size) {
    auto* self = static_cast<Getter*>(user);
    self->run_(load, std::string(key, key_size));
  }
  static void Destroy(void* user) { delete static_cast<Getter*>(user); }

 private:
  const Run run_;
};

inline void Complete(cohort_load_t* load, std::string_view value, int64_t expire_unix_ns = 0) {
  Error error;
  EXPECT_EQ(cohort_load_complete(load, value.data(), value.size(), expire_unix_ns, error), COHORT_OK)
      << error.message();
}

inline Owned<cohort_group_options_t> OptionsWith(Getter::Run run) {
  Owned<cohort_group_options_t> options(cohort_group_options_new());
  Error error;
  EXPECT_EQ(cohort_group_options_set_getter(options.get(), &Getter::Call, &Getter::Destroy, new Getter(std::move(run)),
                                            error),
            COHORT_OK)
      << error.message();
  return options;
}
inline Owned<cohort_group_options_t> OptionsWithQueue(const Owned<cohort_queue_t>& queue, uint64_t tag) {
  Owned<cohort_group_options_t> options(cohort_group_options_new());
  EXPECT_EQ(cohort_group_options_set_getter_queue(options.get(), queue.get(), tag, nullptr), COHORT_OK);
  return options;
}
// "v:<key>".
inline Owned<cohort_group_options_t> Echo() {
  return OptionsWith([](cohort_load_t* load, const std::string& key) { Complete(load, "v:" + key); });
}

// ---- instances and groups

inline Owned<cohort_instance_t> NewInstance(const Owned<cohort_instance_options_t>& options = nullptr) {
  Error error;
  Owned<cohort_instance_t> instance(cohort_instance_new(options.get(), error));
  EXPECT_NE(instance, nullptr) << error.message();
  return instance;
}
inline Owned<cohort_instance_t> NewInstance(const Owned<cohort_transport_t>& transport) {
  Owned<cohort_instance_options_t> options(cohort_instance_options_new());
  EXPECT_EQ(cohort_instance_options_set_transport(options.get(), transport.get(), nullptr), COHORT_OK);
  return NewInstance(options);
}
inline Owned<cohort_group_t> NewGroup(const Owned<cohort_instance_t>& instance,
                                      const Owned<cohort_group_options_t>& options = nullptr,
                                      std::string_view name = "g") {
  Error error;
  Owned<cohort_group_t> group(
      cohort_instance_new_group(instance.get(), name.data(), name.size(), options.get(), error));
  EXPECT_NE(group, nullptr) << error.message();
  return group;
}
inline std::string Listen(const Owned<cohort_instance_t>& instance, std::string_view address = "127.0.0.1:0") {
  Error error;
  EXPECT_EQ(cohort_instance_listen(instance.get(), address.data(), address.size(), error), COHORT_OK)
      << error.message();
  return Bytes(Owned<cohort_value_t>(cohort_instance_listen_address(instance.get(), error)));
}
inline void SetPeers(const Owned<cohort_instance_t>& instance, const std::vector<std::string>& addresses,
                     const std::string& self) {
  std::string lines;
  for (const std::string& address : addresses) lines += (lines.empty() ? "" : "\n") + address;
  Error error;
  EXPECT_EQ(cohort_instance_set_peers(instance.get(), lines.data(), lines.size(), self.data(), self.size(), error),
            COHORT_OK)
      << error.message();
}
inline std::string Owner(const Owned<cohort_instance_t>& instance, const std::string& key) {
  return Bytes(Owned<cohort_value_t>(cohort_instance_owner(instance.get(), key.data(), key.size(), nullptr)));
}
// A key that the member at `address` owns; another for each `salt`.
inline std::string KeyOf(const Owned<cohort_instance_t>& instance, const std::string& address,
                         const std::string& salt = "") {
  for (int i = 0; i < 100'000; ++i) {
    std::string key = "key" + salt + "-" + std::to_string(i);
    if (Owner(instance, key) == address) return key;
  }
  ADD_FAILURE() << "no key of " << address;
  return "";
}

inline Owned<cohort_value_t> Get(const Owned<cohort_group_t>& group, std::string_view key, cohort_error_t* error,
                                 int64_t timeout_ms = kPatienceMs) {
  return Owned<cohort_value_t>(cohort_group_get(group.get(), key.data(), key.size(), 0, timeout_ms, error));
}
// The value's bytes, or "<status>: <message>".
inline std::string Got(const Owned<cohort_group_t>& group, std::string_view key) {
  Error error;
  const Owned<cohort_value_t> value = Get(group, key, error);
  return value != nullptr ? Bytes(value) : std::string(cohort_status_name(error.status())) + ": " + error.message();
}
inline cohort_group_stats_t StatsOf(const Owned<cohort_group_t>& group) {
  cohort_group_stats_t stats;
  EXPECT_EQ(cohort_group_stats(group.get(), &stats, sizeof stats), static_cast<int64_t>(sizeof stats));
  return stats;
}
inline int32_t Begin(const Owned<cohort_group_t>& group, std::string_view key, const Owned<cohort_queue_t>& queue,
                     uint64_t tag, cohort_answer_t* answer, int32_t flags = 0, int64_t timeout_ms = 0,
                     cohort_error_t* error = nullptr) {
  return cohort_group_begin(group.get(), key.data(), key.size(), nullptr, 0, flags, timeout_ms, queue.get(), tag,
                            answer, error);
}
inline bool Cached(const Owned<cohort_group_t>& group, std::string_view key) {
  return Owned<cohort_value_t>(cohort_group_lookup(group.get(), key.data(), key.size())) != nullptr;
}

// The threads of this process; -1 where that cannot be known.
inline int CountThreads() {
  DIR* const tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return -1;
  int count = 0;
  while (const dirent* entry = readdir(tasks)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(tasks);
  return count;
}

// Counts how often a user pointer is destroyed.
struct Destroyed {
  std::atomic<int> count{0};
  static void Call(void* user) { static_cast<Destroyed*>(user)->count.fetch_add(1); }
};

}  // namespace capi_test

// ClusterFixture runs members in this process, over the in-process network, on real threads.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/instance.h"
#include "runtime/real_runtime.h"
#include "transport/inproc/inproc.h"

namespace cohort {

inline std::string Text(const ValueRef& value) { return value ? std::string(value->bytes()) : std::string("(null)"); }

// A number that threads raise and a test waits for.
class Count {
 public:
  void Add(int n = 1) {
    std::lock_guard lock(mutex_);
    value_ += n;
    changed_.notify_all();
  }
  int Get() {
    std::lock_guard lock(mutex_);
    return value_;
  }
  void AwaitAtLeast(int n) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return value_ >= n; })) << "at " << value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int value_ = 0;
};

// A gate that getters wait at until the test opens it.
class Gate {
 public:
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void Pass() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

class ClusterFixture : public ::testing::Test {
 protected:
  ~ClusterFixture() override { Stop(); }
  // Ends every thread of the members. For tests whose getters may still run at their end, and use what is the test's
  // own.
  void Stop() {
    for (auto& instance : instances_) instance->Shutdown(0);
  }

  using Loader = std::function<void(std::unique_ptr<Load>)>;

  // A member named "node<i>:1".
  Instance& AddMember(size_t getter_threads = 8) {
    RealRuntimeOptions runtime_options;
    runtime_options.max_blocking_threads = getter_threads;
    InstanceOptions options;
    options.runtime = NewRealRuntime(runtime_options);
    options.transport = network_->Attach(*options.runtime);
    auto instance = Instance::New(std::move(options));
    const std::string address = "node" + std::to_string(instances_.size()) + ":1";
    EXPECT_TRUE(instance->Listen(address).ok());
    addresses_.push_back(address);
    instances_.push_back(std::move(instance));
    return *instances_.back();
  }
  void Introduce() {
    for (size_t i = 0; i < instances_.size(); ++i) {
      const Status status = instances_[i]->SetPeers(addresses_, addresses_[i]);
      ASSERT_TRUE(status.ok()) << status.message();
    }
  }
  std::shared_ptr<Group> AddGroup(size_t member, Loader loader, int64_t load_timeout_ms = 60'000,
                                  int64_t cache_bytes = 1 << 20) {
    GroupOptions options;
    options.cache.cache_bytes = cache_bytes;
    options.load_timeout_ms = load_timeout_ms;
    if (loader) options.getter = std::make_shared<CallbackGetter>(std::move(loader));
    Result<std::shared_ptr<Group>> group = instances_[member]->NewGroup("g", std::move(options));
    EXPECT_TRUE(group.ok()) << group.status().message();
    return *group;
  }
  // A key that `member` owns.
  std::string KeyOf(size_t member, const std::string& prefix = "key") {
    for (int i = 0;; ++i) {
      std::string key = prefix + std::to_string(i);
      if (instances_[0]->Owner(key) == addresses_[member]) return key;
    }
  }
  static Loader Answer(const std::string& text, Count* runs) {
    return [text, runs](std::unique_ptr<Load> load) {
      runs->Add();
      load->Complete(Value::Copy(load->key(), text + std::string(load->key()), 0));
    };
  }
  static Status Await(const std::function<void(Group::ChangeDone)>& change) {
    Count done;
    Status result;
    change([&](Status status) {
      result = std::move(status);
      done.Add();
    });
    done.AwaitAtLeast(1);
    return result;
  }

  std::shared_ptr<InprocNetwork> network_ = InprocNetwork::New();
  std::vector<std::shared_ptr<Instance>> instances_;
  std::vector<std::string> addresses_;
};

}  // namespace cohort

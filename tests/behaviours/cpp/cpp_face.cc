// The faces of cohort.hpp: with getters that return values, and with getters that end their loads later.
#include <cohort/cohort.hpp>
#include <map>
#include <stdexcept>
#include <utility>

#include "behaviours/cpp/face.h"
#include "behaviours/cpp/network.h"
#include "behaviours/cpp/standard_getter.h"

namespace behaviours {
namespace {

using cohort::Milliseconds;

Answer Failed(const cohort::Status& status) {
  return Answer::Failed(static_cast<cohort_status_t>(status.code()), status.message());
}
Answer Of(cohort::Result<cohort::Value> result) {
  if (!result) return Failed(result.status());
  return Answer::Of(std::move(result).value().release(), COHORT_SOURCE_NONE);
}
Answer Of(const cohort::Status& status) { return status ? Answer() : Failed(status); }

// What a call throws as an answer.
template <typename Call>
Answer Try(Call call) {
  try {
    return call();
  } catch (const cohort::Error& error) {
    return Failed(cohort::Status(error.code(), error.what()));
  }
}

class CppGroup : public Group {
 public:
  CppGroup(cohort::Group group, bool futures) : group_(std::move(group)), futures_(futures) {}

  Answer Get(std::string_view key, int64_t timeout_ms) override {
    if (!futures_) return Of(group_.try_get(key, Milliseconds(timeout_ms)));
    return Try([&] { return Of(group_.get_future(key, Milliseconds(timeout_ms)).get()); });
  }
  std::vector<Answer> GetMany(const std::vector<std::string>& keys, int64_t timeout_ms) override {
    std::vector<Answer> answers;
    const Answer all = Try([&] {
      for (auto& result : group_.get_many(keys, Milliseconds(timeout_ms))) answers.push_back(Of(std::move(result)));
      return Answer();
    });
    if (!all.error.empty()) return {all};
    return answers;
  }
  Answer Peek(std::string_view key) override {
    std::optional<cohort::Value> value = group_.lookup(key);
    if (value) return Of(*std::move(value));
    Answer answer;
    answer.miss = true;
    return answer;
  }
  Answer Set(std::string_view key, std::string_view value, int64_t expire_unix_ns, int64_t timeout_ms) override {
    return Of(group_.try_set(key, value, expire_unix_ns, Milliseconds(timeout_ms)));
  }
  Answer Remove(std::string_view key, int64_t timeout_ms) override {
    return Of(group_.try_remove(key, Milliseconds(timeout_ms)));
  }
  Answer RemoveKeys(const std::vector<std::string>& keys, int64_t timeout_ms) override {
    return Of(group_.try_remove_keys(keys, Milliseconds(timeout_ms)));
  }
  Pending Start(std::string_view key, int64_t timeout_ms) override {
    const auto promise = std::make_shared<std::promise<Answer>>();
    Pending pending{promise->get_future(), [] {}};
    const Answer begun = Try([&] {
      const auto ticket = std::make_shared<cohort::Group::Ticket>(group_.get_async(
          key, [promise](cohort::Result<cohort::Value> result) { promise->set_value(Of(std::move(result))); },
          Milliseconds(timeout_ms)));
      pending.cancel = [ticket] { ticket->cancel(); };
      return Answer();
    });
    if (!begun.error.empty()) promise->set_value(begun);
    return pending;
  }
  Answer ResetCache(int64_t cache_bytes) override {
    return Try([&] {
      group_.reset_cache(cache_bytes);
      return Answer();
    });
  }
  cohort_group_stats_t Stats() override { return group_.stats(); }
  cohort_cache_stats_t CacheStats(int32_t tier) override { return group_.cache_stats(static_cast<cohort::Tier>(tier)); }

  cohort::Group& group() { return group_; }

 private:
  cohort::Group group_;
  const bool futures_;
};

class CppMember : public Member {
 public:
  // `network`: carries what `transport` sends; nullptr: the transport listens itself.
  CppMember(int number, StandardGetter& getter, bool async, const cohort::Transport& transport,
            std::shared_ptr<Network> network)
      : number_(number),
        getter_(getter),
        async_(async),
        network_(std::move(network)),
        instance_(std::make_shared<cohort::Instance>(cohort::InstanceOptions().transport(transport))) {}
  ~CppMember() override {
    StopListening();
    instance_->shutdown();  // No getter of ours runs from here on, whoever still holds the instance.
  }

  Answer NewGroup(const std::string& name, const GroupSpec& spec) override {
    return Try([&] {
      cohort::GroupOptions options;
      options.cache_bytes(spec.cache_bytes);
      if (spec.load_timeout_ms > 0) options.load_timeout(Milliseconds(spec.load_timeout_ms));
      if (spec.has_getter && async_) {
        options.async_getter([this, name](cohort::Load load) { LoadLater(name, std::move(load)); });
      } else if (spec.has_getter) {
        options.getter([this, name](std::string_view key) { return Load(name, std::string(key)); });
      }
      auto group = std::make_unique<CppGroup>(instance_->new_group(name, options), async_);
      groups_[name] = std::move(group);
      return Answer();
    });
  }
  Group& FindGroup(const std::string& name) override { return *groups_.at(name); }
  Answer CloseGroup(const std::string& name) override {
    return Try([&] {
      instance_->remove_group(name);
      return Answer();
    });
  }
  std::string Listen(const std::string& address) override {
    if (network_ == nullptr) {
      instance_->listen(address);
      return instance_->listen_address();
    }
    address_ = "member" + std::to_string(number_) + ":1";
    network_->Add(address_, instance_);
    return address_;
  }
  void StopListening() override {
    if (network_ == nullptr) {
      instance_->stop_listening();
    } else {
      network_->Remove(address_);
    }
  }
  Answer SetPeers(const std::vector<std::string>& addresses, const std::string& self) override {
    return Try([&] {
      instance_->set_peers(addresses, self);
      return Answer();
    });
  }
  std::string Owner(std::string_view key) override { return instance_->owner(key); }
  void Close() override { instance_->shutdown(); }

 private:
  cohort::Value Load(const std::string& group, const std::string& key) {
    const Plan plan = getter_.Wait(number_, group, key);
    switch (plan.kind) {
      case Plan::Kind::kNotFound:
        throw cohort::NotFound(plan.bytes);
      case Plan::Kind::kFail:
        throw std::runtime_error(plan.bytes);
      case Plan::Kind::kPanic:
        throw std::logic_error(plan.bytes);
      case Plan::Kind::kDrop:
        throw std::runtime_error("cannot be done");
      case Plan::Kind::kGet:
        return groups_.at(plan.group)->group().get(plan.key, Milliseconds(plan.timeout_ms));
      case Plan::Kind::kValue:
        break;
    }
    return {plan.bytes, plan.expire_unix_ns};
  }

  void LoadLater(const std::string& group, cohort::Load load) {
    const std::string key(load.key());
    const auto open = std::make_shared<cohort::Load>(std::move(load));
    getter_.Begin(number_, group, key, [this, open](const Plan& plan) {
      switch (plan.kind) {
        case Plan::Kind::kValue:
          return open->complete(cohort::Value(plan.bytes, plan.expire_unix_ns));
        case Plan::Kind::kNotFound:
          return open->not_found(plan.bytes);
        case Plan::Kind::kFail:
          return open->fail(plan.bytes);
        case Plan::Kind::kPanic:
          return open->fail("cannot be done");
        case Plan::Kind::kDrop:
          static_cast<void>(cohort::Load(std::move(*open)));
          return;
        case Plan::Kind::kGet:
          break;
      }
      try {
        groups_.at(plan.group)
            ->group()
            .get_async(
                plan.key,
                [open](cohort::Result<cohort::Value> result) {
                  if (result) {
                    open->complete(*result);
                  } else if (result.code() == cohort::Code::not_found) {
                    open->not_found(result.status().message());
                  } else {
                    open->fail(result.status().message());
                  }
                },
                Milliseconds(plan.timeout_ms));
      } catch (const cohort::Error& refused) {
        open->fail(refused.what());
      }
    });
  }

  const int number_;
  StandardGetter& getter_;
  const bool async_;
  const std::shared_ptr<Network> network_;
  const std::shared_ptr<cohort::Instance> instance_;
  std::string address_;
  std::map<std::string, std::unique_ptr<CppGroup>> groups_;
};

NewMember Members(bool async, const cohort::Transport& transport, const std::shared_ptr<Network>& network) {
  return [=](int number, StandardGetter& getter) {
    return std::make_unique<CppMember>(number, getter, async, transport, network);
  };
}

}  // namespace

std::vector<Face> CppFaces() {
  const std::vector<Skip> returning = {{"drop-", "a getter that returns a value cannot let go of its load"}};
  const std::vector<Skip> ending = {{"panic-", "what an asynchronous getter throws only drops its load"}};
  return {
      {"Cpp", [] { return Members(false, cohort::Transport::http(), nullptr); }, returning},
      {"CppAsync", [] { return Members(true, cohort::Transport::http(), nullptr); }, ending},
      {"CppInProcess", [] { return Members(true, cohort::Transport::inproc(), nullptr); }, ending, true},
      {"CppMounted",
       [] {
         const auto network = std::make_shared<Network>();
         return Members(false, network->Raw(), network);
       },
       returning, true},
      {"CppCalls",
       [] {
         const auto network = std::make_shared<Network>();
         return Members(false, network->Calls(), network);
       },
       returning, true},
  };
}

}  // namespace behaviours

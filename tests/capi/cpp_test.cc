// The C++ face: each class does what it says, and nothing that is thrown gets lost or crosses the library.
#include <gtest/gtest.h>

#include <atomic>
#include <cohort/cohort.hpp>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace {

using cohort::Code;
using std::chrono::milliseconds;

cohort::GroupOptions Echo() {
  return cohort::GroupOptions().getter([](std::string_view key) { return "v:" + std::string(key); });
}

TEST(CppValue, IsACopyThatSharesItsBytes) {
  const cohort::Value value("abc", cohort::Expiry(77));
  const cohort::Value copy = value;  // NOLINT(performance-unnecessary-copy-initialization)
  EXPECT_EQ(copy.data(), value.data());
  EXPECT_EQ(copy.view(), "abc");
  EXPECT_EQ(copy.expiry().unix_ns(), 77);
  EXPECT_EQ(copy, cohort::Value(std::string("abc")));
  EXPECT_NE(copy, cohort::Value());
  EXPECT_TRUE(cohort::Value().empty());
  cohort::Value moved = std::move(const_cast<cohort::Value&>(copy));
  EXPECT_EQ(moved.str(), "abc");
  EXPECT_EQ(std::string(moved.begin(), moved.end()), "abc");
}

TEST(CppValue, TakesALongStringOver) {
  std::string text(100'000, 'x');
  const char* const data = text.data();
  const cohort::Value value(std::move(text));
  EXPECT_EQ(value.data(), data);
  EXPECT_EQ(value.size(), 100'000U);
}

TEST(CppValue, GivesBorrowedMemoryBackOnce) {
  int released = 0;
  const std::string memory = "borrowed";
  {
    const cohort::Value value = cohort::Value::borrow(memory, [&] { ++released; });
    const cohort::Value copy = value;  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(copy.data(), memory.data());
    EXPECT_EQ(released, 0);
  }
  EXPECT_EQ(released, 1);
}

TEST(CppExpiry, IsADurationAPointOrNever) {
  EXPECT_TRUE(cohort::Expiry().never());
  EXPECT_EQ(cohort::Expiry(std::chrono::system_clock::time_point(std::chrono::seconds(3))).unix_ns(), 3'000'000'000);
  const int64_t now = cohort::Expiry(std::chrono::system_clock::now()).unix_ns();
  const int64_t later = cohort::Expiry(std::chrono::hours(1)).unix_ns();
  EXPECT_GE(later - now, int64_t{3600} * 1'000'000'000);
  EXPECT_LT(later - now, int64_t{3660} * 1'000'000'000);
}

// What a protobuf message looks like from outside.
struct Message {
  std::string text;
  bool SerializeToString(std::string* to) const {
    *to = "<" + text + ">";
    return text != "incomplete";
  }
  bool ParseFromArray(const void* data, int size) {
    const std::string_view bytes(static_cast<const char*>(data), static_cast<size_t>(size));
    if (size < 2 || bytes.front() != '<' || bytes.back() != '>') return false;
    text = bytes.substr(1, bytes.size() - 2);
    return true;
  }
};

TEST(CppMessage, IsSerializedAndParsed) {
  cohort::Instance instance;
  const cohort::Group group = instance.new_group(
      "g", cohort::GroupOptions().getter([](std::string_view key) { return Message{"loaded " + std::string(key)}; }));
  EXPECT_EQ(group.get<Message>("k").text, "loaded k");
  group.set("k", Message{"set"});
  EXPECT_EQ(group.get<Message>("k").text, "set");
  EXPECT_EQ(group.get("k").view(), "<set>");
  EXPECT_THROW(group.set("k", Message{"incomplete"}), cohort::Error);
  group.set("k", "no message");
  EXPECT_THROW(group.get<Message>("k"), cohort::Error);
}

TEST(CppGroup, GetsSetsAndRemoves) {
  cohort::Instance instance;
  const cohort::Group group = instance.new_group("g", Echo());
  EXPECT_EQ(group.name(), "g");
  EXPECT_FALSE(group.lookup("k").has_value());
  EXPECT_EQ(group.get("k").view(), "v:k");
  EXPECT_EQ(group.lookup("k")->view(), "v:k");
  group.set("k", "set", std::chrono::hours(1), milliseconds(1'000));
  EXPECT_EQ(group.get("k").view(), "set");
  EXPECT_FALSE(group.get("k").expiry().never());
  group.set("k", cohort::Value("with an expiry", cohort::Expiry(INT64_MAX)));
  EXPECT_EQ(group.get("k").expiry().unix_ns(), INT64_MAX);
  group.remove("k");
  EXPECT_EQ(group.get("k").view(), "v:k");
  group.remove_keys({"k", "l"});
  EXPECT_FALSE(group.lookup("k").has_value());
  group.remove_keys(std::deque<std::string>{"k"});
  EXPECT_EQ(group.stats().sets, 2);
  EXPECT_EQ(group.cache_stats(cohort::Tier::main).items, 0);
  group.get("k");
  group.reset_cache(0);
  EXPECT_FALSE(group.lookup("k").has_value());
  EXPECT_TRUE(group.try_set("k", "v").ok());
  EXPECT_TRUE(group.try_remove("k").ok());
  EXPECT_EQ(group.try_set("", "v").code(), Code::invalid_argument);
  EXPECT_THROW(group.set("", "v"), cohort::Error);
  group.local_set("k", "v");
  group.local_remove("k");
}

TEST(CppGroup, WhatAGetterThrowsIsWhatAGetThrows) {
  cohort::Instance instance;
  const cohort::Group group =
      instance.new_group("g", cohort::GroupOptions().getter([](std::string_view key) -> cohort::Value {
        if (key == "gone") throw cohort::NotFound("no such row");
        if (key == "number") throw 7;
        throw std::runtime_error("disk on fire");
      }));
  try {
    group.get("gone");
    FAIL() << "nothing was thrown";
  } catch (const cohort::NotFound& error) {
    EXPECT_STREQ(error.what(), "no such row");
    EXPECT_EQ(error.code(), Code::not_found);
  }
  try {
    group.get("broken");
    FAIL() << "nothing was thrown";
  } catch (const cohort::Error& error) {
    EXPECT_STREQ(error.what(), "disk on fire");
    EXPECT_EQ(error.code(), Code::load_failed);
  }
  const cohort::Result<cohort::Value> result = group.try_get("number");
  EXPECT_FALSE(result);
  EXPECT_EQ(result.code(), Code::load_failed);
  EXPECT_THROW(static_cast<void>(result.value()), cohort::Error);
  EXPECT_THROW(group.get_future("gone").get(), cohort::NotFound);
  EXPECT_STREQ(cohort::to_string(result.code()), "LOAD_FAILED");
}

TEST(CppGroup, ManyKeysComeInOrder) {
  cohort::Instance instance;
  const cohort::Group group = instance.new_group("g", cohort::GroupOptions().getter([](std::string_view key) {
    if (key == "gone") throw cohort::NotFound();
    return cohort::Value("v:" + std::string(key));
  }));
  group.get("b");
  const auto results = group.get_many({"a", "b", "gone", "a"});
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0]->view(), "v:a");
  EXPECT_EQ(results[1]->view(), "v:b");
  EXPECT_EQ(results[2].code(), Code::not_found);
  EXPECT_EQ(results[3]->view(), "v:a");
  EXPECT_TRUE(group.get_many(std::vector<std::string>()).empty());
}

// Waits for callbacks.
class Inbox {
 public:
  void Put(std::string text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    texts_.push_back(std::move(text));
    changed_.notify_all();
  }
  std::string Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return !texts_.empty(); });
    std::string text = texts_.front();
    texts_.pop_front();
    return text;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> texts_;
};

TEST(CppGroup, AsynchronousCallsEndInCallbacks) {
  Inbox inbox;
  cohort::Instance instance;
  const cohort::Group group = instance.new_group("g", Echo());
  group.get_async("k", [&](const cohort::Result<cohort::Value>& result) { inbox.Put(result->str()); });
  EXPECT_EQ(inbox.Take(), "v:k");
  group.set_async("k", "set", [&](const cohort::Status& status) { inbox.Put(cohort::to_string(status.code())); });
  EXPECT_EQ(inbox.Take(), "OK");
  EXPECT_EQ(group.get_future("k").get().view(), "set");
  group.remove_async("k", [&](const cohort::Status& status) { inbox.Put(cohort::to_string(status.code())); });
  EXPECT_EQ(inbox.Take(), "OK");
  group.remove_keys_async(std::vector<std::string>{"a"},
                          [&](const cohort::Status& status) { inbox.Put(cohort::to_string(status.code())); });
  EXPECT_EQ(inbox.Take(), "OK");
  group.local_get_async("l", [&](const cohort::Result<cohort::Value>& result) { inbox.Put(result->str()); });
  EXPECT_EQ(inbox.Take(), "v:l");
  EXPECT_THROW(group.set_async("", "v", [&](const cohort::Status&) { inbox.Put("never"); }), cohort::Error);
}

TEST(CppLoad, AnAsynchronousGetterEndsItLater) {
  std::mutex mutex;
  std::vector<cohort::Load> open;
  Inbox inbox;
  cohort::Instance instance;  // After what its threads use: it is the first to go.
  const cohort::Group group = instance.new_group("g", cohort::GroupOptions().async_getter([&](cohort::Load load) {
    const std::lock_guard<std::mutex> lock(mutex);
    open.push_back(std::move(load));
  }));
  const auto take = [&] {
    for (;;) {
      {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!open.empty()) {
          cohort::Load load = std::move(open.back());
          open.pop_back();
          return load;
        }
      }
      std::this_thread::yield();
    }
  };
  std::future<cohort::Value> value = group.get_future("k", milliseconds(30'000));
  cohort::Load load = take();
  EXPECT_EQ(load.key(), "k");
  EXPECT_FALSE(load.cancelled());
  EXPECT_GT(load.time_left().count(), 0);
  load.complete("later", std::chrono::hours(1));
  EXPECT_FALSE(load);
  EXPECT_EQ(value.get().view(), "later");

  // Whatever holds the bytes.
  const auto completed_with = [&](const auto& bytes) {
    std::future<cohort::Value> completed = group.get_future("bytes");
    take().complete(bytes);
    instance.find_group("g")->remove("bytes");
    return completed.get().str();
  };
  EXPECT_EQ(completed_with("text"), "text");
  EXPECT_EQ(completed_with(std::string("string")), "string");
  EXPECT_EQ(completed_with(std::string_view("view")), "view");
  EXPECT_EQ(completed_with(cohort::Value("value")), "value");

  std::future<cohort::Value> missing = group.get_future("gone");
  take().not_found();
  EXPECT_THROW(missing.get(), cohort::NotFound);

  std::future<cohort::Value> failed = group.get_future("broken");
  take().fail("no luck");
  EXPECT_THROW(failed.get(), cohort::Error);

  std::future<cohort::Value> dropped = group.get_future("dropped");
  { const cohort::Load gone = take(); }
  try {
    dropped.get();
    FAIL() << "nothing was thrown";
  } catch (const cohort::Error& error) {
    EXPECT_EQ(error.code(), Code::load_abandoned);
  }

  cohort::Group::Ticket ticket = group.get_async(
      "cancelled", [&](const cohort::Result<cohort::Value>& result) { inbox.Put(cohort::to_string(result.code())); });
  const cohort::Load abandoned = take();
  EXPECT_TRUE(ticket.cancel());
  EXPECT_FALSE(ticket.cancel());
  EXPECT_EQ(inbox.Take(), "CANCELLED");
  EXPECT_TRUE(abandoned.cancelled());
}

TEST(CppOptions, MistakesAreThrownWhereTheyAreUsed) {
  EXPECT_THROW(cohort::Instance(cohort::InstanceOptions().replicas(0)), cohort::Error);
  EXPECT_THROW(cohort::Instance(cohort::InstanceOptions().base_path("x")), cohort::Error);
  cohort::Instance instance;
  EXPECT_THROW(instance.new_group("g", cohort::GroupOptions().load_timeout(milliseconds(0))), cohort::Error);
  EXPECT_THROW(instance.new_group("a/b"), cohort::Error);
  EXPECT_THROW(instance.listen("nowhere"), cohort::Error);
  EXPECT_THROW(instance.set_peers({"h:1"}, "h:2"), cohort::Error);
}

TEST(CppOptions, AllOfThemReachTheEngine) {
  Inbox log;
  Inbox evicted;
  std::atomic<int> hashed{0};
  const auto options =
      cohort::InstanceOptions()
          .name("anna")
          .ring(cohort::Ring::xxh3)
          .replicas(3)
          .base_path("/mine/")
          .max_getter_threads(2)
          .transport(cohort::Transport::inproc())
          .hash([&](std::string_view data) {
            ++hashed;
            return std::hash<std::string_view>()(data);
          })
          .logger(cohort::LogLevel::info, [&](cohort::LogLevel, std::string_view line) { log.Put(std::string(line)); });
  cohort::Instance first(options);
  cohort::Instance second(options);  // They may be used again.
  first.listen("first:1");
  EXPECT_EQ(log.Take(), "anna: serving peers on first:1");
  EXPECT_EQ(first.listen_address(), "first:1");
  second.listen("second:1");
  first.set_peers({"first:1", "second:1"}, "first:1");
  second.set_peers(std::vector<std::string>{"first:1", "second:1"}, "second:1");
  EXPECT_GE(hashed, 6);
  const auto group_options =
      Echo()
          .cache_bytes(1 << 20)
          .max_entries(8)
          .policy(cohort::Policy::lru)
          .load_timeout(milliseconds(10'000))
          .eviction_listener([&](cohort::Tier, cohort::EvictReason, std::string_view key, const cohort::Value& value) {
            evicted.Put(std::string(key) + "=" + value.str());
          });
  const cohort::Group in_first = first.new_group("g", group_options);
  const cohort::Group in_second = second.new_group("g", group_options);
  std::string key = "k";
  while (first.owner(key) != "second:1") key += "k";
  EXPECT_EQ(in_first.get(key).view(), "v:" + key);
  EXPECT_EQ(in_second.stats().local_loads, 1);
  EXPECT_EQ(in_second.stats().served_to_peers, 1);
  for (int i = 0; i < 20; ++i) in_first.set("n" + std::to_string(i), "x");
  EXPECT_NE(evicted.Take(), "");
}

class CountingTier final : public cohort::CacheTier {
 public:
  std::optional<cohort::Value> get(std::string_view key) override {
    const auto found = values.find(std::string(key));
    if (found == values.end()) return std::nullopt;
    return found->second;
  }
  void add(std::string_view key, const cohort::Value& value) override {
    values.insert_or_assign(std::string(key), value);
  }
  void remove(std::string_view key) override { values.erase(std::string(key)); }
  void clear() override { values.clear(); }
  std::map<std::string, cohort::Value> values;
};

TEST(CppCache, ATierOfTheProgramsOwn) {
  const auto tier = std::make_shared<CountingTier>();
  {
    cohort::Instance instance;
    const cohort::Group group = instance.new_group("g", Echo().cache(cohort::Tier::main, tier));
    EXPECT_EQ(group.get("k").view(), "v:k");
    EXPECT_EQ(tier->values.at("k").view(), "v:k");
    tier->values.insert_or_assign("k", cohort::Value("mine"));
    EXPECT_EQ(group.get("k").view(), "mine");
    group.remove("k");
    EXPECT_TRUE(tier->values.empty());
    group.get("k");
    group.reset_cache(1 << 20);
    EXPECT_TRUE(tier->values.empty());
  }
  EXPECT_EQ(tier.use_count(), 1);
}

TEST(CppTransport, CarriesCalls) {
  Inbox inbox;
  cohort::Instance instance(cohort::InstanceOptions().transport(cohort::Transport::calls([&](cohort::Request request) {
    inbox.Put(std::to_string(request.op()) + " " + std::string(request.peer()) + " " + std::string(request.group()) +
              " " + std::to_string(request.keys().size()) + " " + std::string(request.body()));
    if (request.key() == "drop") return;
    if (request.op() == COHORT_REQUEST_GET && request.key().substr(0, 4) == "gone") {
      request.fail(Code::not_found, "not there");
    } else {
      request.reply("from afar", std::chrono::hours(1));
    }
  })));
  const cohort::Group group = instance.new_group("g", Echo());
  instance.set_peers({"me", "you"}, "me");
  const auto key_of = [&](std::string key) {
    while (instance.owner(key) != "you") key += "+";
    return key;
  };
  const std::string key = key_of("k");
  EXPECT_EQ(group.get(key).view(), "from afar");
  EXPECT_EQ(inbox.Take(), "1 you g 0 ");
  EXPECT_THROW(group.get(key_of("gone")), cohort::NotFound);
  EXPECT_EQ(inbox.Take(), "1 you g 0 ");
  group.set(key, "set");
  EXPECT_EQ(inbox.Take(), "2 you g 0 set");
  group.remove(key);
  EXPECT_EQ(inbox.Take(), "3 you g 0 ");
  group.remove_keys({key, key_of("other")});
  EXPECT_EQ(inbox.Take(), "4 you g 2 ");
}

TEST(CppTransport, CarriesRawRequestsToAMountedInstance) {
  cohort::Instance mounted;
  const cohort::Group at_home = mounted.new_group("g", Echo());
  cohort::Instance instance(cohort::InstanceOptions().transport(cohort::Transport::raw([&](cohort::Request request) {
    cohort::IncomingRequest incoming;
    incoming.method = request.method();
    incoming.target = request.target();
    incoming.header_lines = request.headers();
    incoming.body = request.body();
    incoming.timeout = request.time_left();
    const auto open = std::make_shared<cohort::Request>(std::move(request));
    mounted.handle_request(incoming, [open](const cohort::Response& response) {
      open->reply_raw(response.status(), response.header_lines(), response.body());
    });
  })));
  const cohort::Group group = instance.new_group("g");
  instance.set_peers({"me", "you"}, "me");
  std::string key = "k";
  while (instance.owner(key) != "you") key += "+";
  EXPECT_EQ(group.get(key).view(), "v:" + key);
  EXPECT_EQ(at_home.stats().served_to_peers, 1);
}

TEST(CppTransport, HttpTakesItsLimits) {
  cohort::HttpOptions options;
  options.max_connections_per_peer = 2;
  options.connect_timeout = milliseconds(100);
  options.idle_timeout = milliseconds(1'000);
  options.max_body_bytes = 1 << 20;
  options.max_server_threads = 8;
  options.keep_alive = milliseconds(2'000);
  options.request_timeout = milliseconds(1'000);
  cohort::Instance instance(cohort::InstanceOptions().transport(cohort::Transport::http(options)));
  instance.listen("127.0.0.1:0");
  EXPECT_NE(instance.listen_address(), "");
  options.max_server_threads = 0;
  EXPECT_THROW(cohort::Transport::http(options), cohort::Error);
  options = {};
  options.tls = cohort::Tls{"/nowhere/ca.pem", "", "", false};
  EXPECT_THROW(cohort::Instance(cohort::InstanceOptions().transport(cohort::Transport::http(options))), cohort::Error);
}

TEST(CppInstance, AnswersARequestOfAPeer) {
  cohort::Instance instance;
  instance.new_group("g", Echo());
  cohort::IncomingRequest request;
  request.method = "GET";
  request.target = "/_groupcache/g/k";
  const cohort::Response response = instance.handle_request(request);
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.body(), std::string_view("\x0a\x03v:k\x18\x00", 7));
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : response.headers()) headers[name] = value;
  EXPECT_EQ(headers["Content-Type"], "application/x-protobuf");
  request.method = "";
  EXPECT_THROW(instance.handle_request(request), cohort::Error);
}

TEST(CppInstance, GroupsAreFoundAndRemoved) {
  cohort::Instance instance;
  EXPECT_FALSE(instance.find_group("g").has_value());
  const cohort::Group group = instance.new_group("g", Echo());
  EXPECT_EQ(instance.find_group("g")->get("k").view(), "v:k");
  instance.remove_group("g");
  EXPECT_THROW(instance.remove_group("g"), cohort::NotFound);
  EXPECT_EQ(group.try_get("k").code(), Code::closed);
  instance.stop_listening();
  instance.shutdown(milliseconds(10));
  EXPECT_THROW(instance.new_group("h"), cohort::Error);
  cohort::Instance moved = std::move(instance);
  EXPECT_NE(moved.handle(), nullptr);
  EXPECT_STREQ(cohort::version(), cohort_version());
}

}  // namespace

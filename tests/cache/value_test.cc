// A value is its bytes, whoever owns the memory, and goes with its last reference.
#include "cache/value.h"

#include <gtest/gtest.h>

#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cache/cache_fixture.h"
#include "cache/failing_new.h"

namespace cohort {
namespace {

using namespace std::string_literals;

TEST(Value, CopyKeepsKeyBytesAndExpiry) {
  std::string key = "k\0ey"s;
  std::string bytes = "by\0tes"s;
  const ValueRef value = Value::Copy(key, bytes, 77);
  key.assign(key.size(), 'x');
  bytes.assign(bytes.size(), 'x');
  EXPECT_EQ(value->key(), "k\0ey"s);
  EXPECT_EQ(value->bytes(), "by\0tes"s);
  EXPECT_EQ(value->expire_unix_ns(), 77);
}

TEST(Value, EmptyKeyAndEmptyBytesAreValues) {
  const ValueRef value = Value::Copy({}, {}, 0);
  EXPECT_EQ(value->key(), "");
  EXPECT_EQ(value->bytes(), "");
  const ValueRef wrap = Value::Wrap("", value, 0);
  EXPECT_EQ(wrap->bytes(), "");
  const ValueRef borrowed = Value::Borrow({}, {}, 0, nullptr, nullptr);
  EXPECT_EQ(borrowed->bytes(), "");
}

TEST(Value, ExpiresAtItsTimeAndNotBefore) {
  const ValueRef value = Value::Copy("k", "v", 100);
  EXPECT_FALSE(value->ExpiredAt(99));
  EXPECT_TRUE(value->ExpiredAt(100));
  EXPECT_FALSE(Value::Copy("k", "v", 0)->ExpiredAt(INT64_MAX));
}

TEST(Value, ReferencesCopyMoveAndAssign) {
  Destroyed destroyed;
  const std::string bytes = "host";
  ValueRef a = Value::Borrow("k", bytes, 0, Destroyed::Count, &destroyed);
  ValueRef b = a;
  ValueRef c = std::move(a);
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move)
  ValueRef& same = b;
  b = same;
  b = std::move(same);
  EXPECT_EQ(b->bytes(), "host");
  b = c;
  c = ValueRef();
  EXPECT_EQ(destroyed.times, 0);
  Value* const raw = b.release();
  EXPECT_FALSE(b);
  raw->Unref();
  EXPECT_EQ(destroyed.times, 1);
}

TEST(Value, BorrowedPointsAtTheHostsMemory) {
  Destroyed destroyed;
  const std::string bytes(1000, 'h');
  for (size_t key_size = 0; key_size < 20; ++key_size) {
    const std::string key(key_size, 'k');
    const ValueRef value = Value::Borrow(key, bytes, 5, Destroyed::Count, &destroyed);
    EXPECT_EQ(value->bytes().data(), bytes.data());
    EXPECT_EQ(value->bytes().size(), bytes.size());
    EXPECT_EQ(value->key(), key);
    EXPECT_EQ(value->expire_unix_ns(), 5);
    EXPECT_EQ(destroyed.times, static_cast<int64_t>(key_size));
  }
  EXPECT_EQ(destroyed.times, 20);
}

TEST(Value, DestroyRunsWhenBorrowFindsNoMemory) {
  if (!FailingNew::Works()) GTEST_SKIP() << "operator new is the sanitizer's";
  Destroyed destroyed;
  {
    FailingNew failing(0);
    EXPECT_THROW(Value::Borrow("k", "v", 0, Destroyed::Count, &destroyed), std::bad_alloc);
    EXPECT_TRUE(failing.failed());
  }
  EXPECT_EQ(destroyed.times, 1);
}

TEST(Value, TooLargeAKeyOrValueIsRefused) {
  Destroyed destroyed;
  const std::string key(Value::kMaxKeySize + 1, 'k');
  EXPECT_THROW(Value::Copy(key, "v", 0), std::bad_alloc);
  EXPECT_THROW(Value::Borrow(key, "v", 0, Destroyed::Count, &destroyed), std::bad_alloc);
  EXPECT_EQ(destroyed.times, 1);
  const std::string_view huge("v", Value::kMaxSize + 1);  // Nobody reads it.
  EXPECT_THROW(Value::Borrow("k", huge, 0, Destroyed::Count, &destroyed), std::bad_alloc);
  EXPECT_EQ(destroyed.times, 2);
  EXPECT_THROW(Value::Copy("k", std::string_view("v", SIZE_MAX), 0), std::bad_alloc);
  EXPECT_EQ(Value::Copy(std::string_view(key).substr(1), "v", 0)->key().size(), Value::kMaxKeySize);
}

TEST(Value, WrapSharesTheBytesUnderItsOwnKeyAndExpiry) {
  Destroyed destroyed;
  const std::string bytes = "shared";
  ValueRef source = Value::Borrow("old", bytes, 5, Destroyed::Count, &destroyed);
  ValueRef wrap = Value::Wrap("new", source, 9);
  source = ValueRef();
  EXPECT_EQ(wrap->key(), "new");
  EXPECT_EQ(wrap->expire_unix_ns(), 9);
  EXPECT_EQ(wrap->bytes().data(), bytes.data());
  EXPECT_EQ(destroyed.times, 0);
  wrap = ValueRef();
  EXPECT_EQ(destroyed.times, 1);
}

TEST(Value, WrapOfAWrapHoldsTheInnermostOnly) {
  Destroyed destroyed;
  ValueRef first = Value::Wrap("a", Value::Borrow("s", "v", 0, Destroyed::Count, &destroyed), 1);
  const int64_t charge = Entry::Of(first.get())->ChargedBytes();
  ValueRef last = first;
  for (int i = 0; i < 100'000; ++i) last = Value::Wrap("b", last, 2);  // A chain would overflow the stack at its end.
  EXPECT_EQ(Entry::Of(last.get())->ChargedBytes(), charge);
  first = ValueRef();
  EXPECT_EQ(last->bytes(), "v");
  EXPECT_EQ(destroyed.times, 0);
  last = ValueRef();
  EXPECT_EQ(destroyed.times, 1);
}

TEST(Value, WrapLetsGoOfItsSourceWhenItFindsNoMemory) {
  if (!FailingNew::Works()) GTEST_SKIP() << "operator new is the sanitizer's";
  Destroyed destroyed;
  ValueRef source = Value::Borrow("s", "v", 0, Destroyed::Count, &destroyed);
  {
    FailingNew failing(0);
    EXPECT_THROW(Value::Wrap("k", std::move(source), 0), std::bad_alloc);
  }
  EXPECT_EQ(destroyed.times, 1);
}

TEST(Value, IsChargedForEverythingItKeepsAlive) {
  const std::string bytes(1000, 'v');
  const ValueRef copy = Value::Copy("0123456789ab", bytes, 0);
  const ValueRef borrowed = Value::Borrow("0123456789ab", bytes, 0, nullptr, nullptr);
  const ValueRef wrap = Value::Wrap("0123456789ab", copy, 0);
  EXPECT_GE(Entry::Of(copy.get())->ChargedBytes(), 1012 + 40);
  EXPECT_LE(Entry::Of(copy.get())->ChargedBytes(), 1012 + 1012 / 16 + 48);
  EXPECT_GE(Entry::Of(borrowed.get())->ChargedBytes(), 1012 + 40 + 24);
  EXPECT_GT(Entry::Of(wrap.get())->ChargedBytes(), Entry::Of(copy.get())->ChargedBytes());
  EXPECT_EQ(Entry::Of(wrap.get())->PayloadBytes(), 1012);
}

TEST(Value, LastReferenceOnAnyThreadDestroysOnce) {
  Destroyed destroyed;
  std::string bytes(64, 'b');
  for (int round = 0; round < 200; ++round) {
    ValueRef value = Value::Borrow("k", bytes, 0, Destroyed::Count, &destroyed);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([copy = value] {
        for (int i = 0; i < 50; ++i) {
          const ValueRef another = copy;
          EXPECT_EQ(another->bytes()[0], 'b');
        }
      });
    }
    value = ValueRef();
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(destroyed.times, round + 1);
  }
}

}  // namespace
}  // namespace cohort

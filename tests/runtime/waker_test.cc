// A waker wakes a poll and stays readable until it is cleared.
#include "runtime/waker.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "runtime/thread.h"

namespace cohort {
namespace {

bool Readable(const Waker& waker, int timeout_ms) {
  pollfd entry = {waker.fd(), POLLIN, 0};
  return poll(&entry, 1, timeout_ms) == 1;
}

TEST(Waker, IsReadableFromASignalUntilItIsCleared) {
  Waker waker;
  ASSERT_TRUE(waker.ok());
  EXPECT_FALSE(Readable(waker, 0));
  waker.Signal();
  waker.Signal();
  EXPECT_TRUE(Readable(waker, 0));
  waker.Clear();
  EXPECT_FALSE(Readable(waker, 0));
  waker.Clear();
  waker.Signal();
  EXPECT_TRUE(Readable(waker, 0));
}

TEST(Waker, WakesAPollOnAnotherThread) {
  Waker waker;
  bool woken = false;
  Task body = [&] { woken = Readable(waker, -1); };
  Thread thread;
  ASSERT_TRUE(thread.Start("poll", 0, body));
  waker.Signal();
  thread.Join();
  EXPECT_TRUE(woken);
}

}  // namespace
}  // namespace cohort

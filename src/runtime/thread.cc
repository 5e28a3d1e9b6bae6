#include "runtime/thread.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COHORT_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COHORT_SANITIZED 1
#endif

namespace cohort {

namespace {

constexpr size_t kMaxNameBytes = 15;
#if defined(COHORT_SANITIZED)
constexpr size_t kStackFactor = 8;  // A sanitizer's frames are larger.
#else
constexpr size_t kStackFactor = 1;
#endif

struct StartArguments {
  std::string name;
  Task body;
};

void* Run(void* argument) {
  std::unique_ptr<StartArguments> start(static_cast<StartArguments*>(argument));
#if defined(__APPLE__)
  pthread_setname_np(start->name.c_str());
#else
  pthread_setname_np(pthread_self(), start->name.c_str());
#endif
  start->body();
  return nullptr;
}

sigset_t HostSignals() {
  sigset_t signals;
  sigfillset(&signals);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&signals, fault);
  return signals;
}

}  // namespace

Thread::~Thread() {
  if (started_) std::abort();
}

Thread::Thread(Thread&& other) noexcept : handle_(other.handle_), started_(std::exchange(other.started_, false)) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (started_) std::abort();
  handle_ = other.handle_;
  started_ = std::exchange(other.started_, false);
  return *this;
}

bool Thread::Start(const std::string& name, size_t stack_bytes, Task& body) {
  auto start = std::make_unique<StartArguments>();
  start->name = name.substr(0, kMaxNameBytes);
  start->body = std::move(body);

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (stack_bytes != 0) {
    pthread_attr_setstacksize(&attributes, std::max<size_t>(stack_bytes * kStackFactor, PTHREAD_STACK_MIN));
  }
  // The new thread inherits the mask, so there is no moment at which it could take a signal.
  const sigset_t blocked = HostSignals();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const int error = pthread_create(&handle_, &attributes, Run, start.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);

  if (error != 0) {
    body = std::move(start->body);
    return false;
  }
  start.release();
  started_ = true;
  return true;
}

void Thread::Join() {
  if (!started_) return;
  pthread_join(handle_, nullptr);
  started_ = false;
}

void Thread::Detach() {
  if (!started_) return;
  pthread_detach(handle_);
  started_ = false;
}

std::string ThreadName(const std::string& owner, const std::string& role) {
  const size_t room = kMaxNameBytes - std::min(kMaxNameBytes, role.size() + 1);
  return owner.substr(0, room) + "-" + role;
}

}  // namespace cohort

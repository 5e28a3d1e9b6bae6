#include "runtime/lent_thread.h"

#include <utility>

namespace cohort {
namespace {

thread_local LentThread* lent = nullptr;
thread_local bool offered = false;

}  // namespace

LentThread::LentThread(int64_t most_ns) : most_ns_(most_ns), lent_(lent == nullptr) {
  if (lent_) lent = this;
}

LentThread::~LentThread() { Run(); }

LentThread::Offer::Offer() : before_(std::exchange(offered, true)) {}
LentThread::Offer::~Offer() { offered = before_; }

int64_t LentThread::MostNs() { return !offered || lent == nullptr || lent->work_ ? 0 : lent->most_ns_; }
void LentThread::Leave(Task work) { lent->work_ = std::move(work); }

void LentThread::Run() {
  if (!lent_) return;
  lent_ = false;
  lent = nullptr;
  if (Task work = std::move(work_)) work();
}

}  // namespace cohort

#include "runtime/lent_thread.h"

#include <utility>

namespace cohort {
namespace {

thread_local LentThread* lent = nullptr;

}  // namespace

LentThread::LentThread(int64_t most_ns) : most_ns_(most_ns), lent_(lent == nullptr) {
  if (lent_) lent = this;
}

LentThread::~LentThread() { Run(); }

int64_t LentThread::MostNs() { return lent == nullptr || lent->work_ ? 0 : lent->most_ns_; }
void LentThread::Leave(Task work) { lent->work_ = std::move(work); }

void LentThread::Run() {
  if (!lent_) return;
  lent_ = false;
  lent = nullptr;
  if (Task work = std::move(work_)) work();
}

}  // namespace cohort

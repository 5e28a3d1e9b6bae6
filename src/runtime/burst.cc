#include "runtime/burst.h"

#include <utility>

namespace cohort {

constinit thread_local Burst* Burst::innermost_ = nullptr;

void Burst::RunAll() {
  while (!put_off_.empty()) {
    std::vector<Task> tasks = std::exchange(put_off_, {});
    for (Task& task : tasks) task();
  }
}

Burst::Burst(Of of) : of_(of), within_(innermost_), outermost_(innermost_ == nullptr ? this : innermost_->outermost_) {
  innermost_ = this;
}

// Still open while it runs them, so that what they set off joins in.
Burst::~Burst() {
  if (within_ == nullptr) RunAll();
  innermost_ = within_;
}

void Burst::PutOff(Task task) { innermost_->outermost_->put_off_.push_back(std::move(task)); }
void Burst::BeforeBlocking() {
  if (open()) innermost_->outermost_->RunAll();
}

}  // namespace cohort

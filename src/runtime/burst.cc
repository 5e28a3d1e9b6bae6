#include "runtime/burst.h"

#include <utility>

namespace cohort {
namespace {

thread_local int depth = 0;
thread_local Burst::Of innermost = Burst::Of::kEnds;
thread_local std::vector<Task> put_off;

void RunAll() {
  while (!put_off.empty()) {
    std::vector<Task> tasks = std::exchange(put_off, {});
    for (Task& task : tasks) task();
  }
}

}  // namespace

Burst::Burst(Of of) : before_(std::exchange(innermost, of)) { ++depth; }

// Still open while it runs them, so that what they set off joins in.
Burst::~Burst() {
  if (depth == 1) RunAll();
  --depth;
  innermost = before_;
}

bool Burst::open() { return depth > 0; }
bool Burst::is_of_ends() { return depth > 0 && innermost == Of::kEnds; }
void Burst::PutOff(Task task) { put_off.push_back(std::move(task)); }
void Burst::BeforeBlocking() {
  if (depth > 0) RunAll();
}

}  // namespace cohort

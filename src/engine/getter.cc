#include "engine/getter.h"

#include <string>

namespace cohort {
namespace {

// A getter on this thread's stack. The list is how a getter that asks for its own key is told, instead of waiting for
// itself.
struct Running {
  const Group* group;
  std::string key;
  const Running* below;
};
// Reading it is one instruction (as in epochs.h).
constinit thread_local const Running* running __attribute__((tls_model("initial-exec"))) = nullptr;

}  // namespace

bool RunsOnThisThread(const Group* group, std::string_view key) {
  for (const Running* frame = running; frame != nullptr; frame = frame->below) {
    if (frame->group == group && frame->key == key) return true;
  }
  return false;
}

bool CallbackGetter::Run(std::unique_ptr<Load> load) {
  const Running frame{&load->group(), std::string(load->key()), running};
  running = &frame;
  try {
    function_(std::move(load));
  } catch (...) {  // The load was dropped on the way: it is abandoned, and its waiters are told.
  }
  running = frame.below;
  return true;
}

bool QueueGetter::Run(std::unique_ptr<Load> load) {
  auto node = std::make_unique<EventNode>(EventKind::kLoad, tag_);
  node->load = std::move(load);
  return queue_->Offer(std::move(node));
}

}  // namespace cohort

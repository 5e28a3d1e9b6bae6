#include "behaviours/cpp/network.h"

#include <utility>

namespace behaviours {
namespace {

void Refuse(cohort::Request& request) {
  request.fail(cohort::Code::unreachable, "peer " + std::string(request.peer()) + " refused the connection");
}

// Does what a call asks for, at the group of the member that was asked.
void Serve(const cohort::Group& group, const std::shared_ptr<cohort::Request>& open) {
  switch (open->op()) {
    case COHORT_REQUEST_GET:
      group.local_get_async(
          open->key(),
          [open](const cohort::Result<cohort::Value>& result) {
            if (result.ok()) {
              open->reply(*result, result->expiry());
              return;
            }
            const bool final = result.code() == cohort::Code::load_failed;
            open->fail(final ? cohort::Code::remote_failed : result.code(), result.status().message());
          },
          open->time_left());
      return;
    case COHORT_REQUEST_SET:
      group.local_set(open->key(), open->body(), open->expiry());
      break;
    case COHORT_REQUEST_REMOVE:
      group.local_remove(open->key());
      break;
    default:
      for (const std::string_view key : open->keys()) group.local_remove(key);
      break;
  }
  open->reply();
}

}  // namespace

void Network::Add(const std::string& address, std::shared_ptr<cohort::Instance> instance) {
  const std::lock_guard lock(mutex_);
  listening_[address] = std::move(instance);
}

void Network::Remove(const std::string& address) {
  const std::lock_guard lock(mutex_);
  listening_.erase(address);
}

std::shared_ptr<cohort::Instance> Network::Find(std::string_view address) {
  const std::lock_guard lock(mutex_);
  const auto found = listening_.find(address);
  return found == listening_.end() ? nullptr : found->second;
}

cohort::Transport Network::Raw() {
  return cohort::Transport::raw(
      [self = shared_from_this()](cohort::Request request) { self->SendRaw(std::move(request)); });
}

cohort::Transport Network::Calls() {
  return cohort::Transport::calls(
      [self = shared_from_this()](cohort::Request request) { self->SendCall(std::move(request)); });
}

void Network::SendRaw(cohort::Request request) {
  const std::shared_ptr<cohort::Instance> peer = Find(request.peer());
  if (peer == nullptr) return Refuse(request);
  cohort::IncomingRequest incoming;
  incoming.method = request.method();
  incoming.target = request.target();
  incoming.header_lines = request.headers();
  incoming.body = request.body();
  incoming.timeout = request.time_left();
  const auto open = std::make_shared<cohort::Request>(std::move(request));
  try {
    peer->handle_request(incoming, [open](const cohort::Response& response) {
      open->reply_raw(response.status(), response.header_lines(), response.body());
    });
  } catch (const cohort::Error&) {
    Refuse(*open);  // It is closed.
  }
}

void Network::SendCall(cohort::Request request) {
  const std::shared_ptr<cohort::Instance> peer = Find(request.peer());
  if (peer == nullptr) return Refuse(request);
  const std::optional<cohort::Group> group = peer->find_group(request.group());
  if (!group) return request.fail(cohort::Code::unreachable, "there is no group " + std::string(request.group()));
  const auto open = std::make_shared<cohort::Request>(std::move(request));
  try {
    Serve(*group, open);
  } catch (const cohort::Error&) {
    Refuse(*open);  // The group, or all of the member, is closed.
  }
}

}  // namespace behaviours

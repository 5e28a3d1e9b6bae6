// A Network carries the requests of C++ custom transports between the members of a case: as HTTP requests to mounted
// instances, or as calls of their groups.
#pragma once

#include <cohort/cohort.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace behaviours {

class Network : public std::enable_shared_from_this<Network> {
 public:
  void Add(const std::string& address, std::shared_ptr<cohort::Instance> instance);
  void Remove(const std::string& address);

  // Transports for members; the network lives as long as they do.
  cohort::Transport Raw();
  cohort::Transport Calls();

 private:
  std::shared_ptr<cohort::Instance> Find(std::string_view address);
  void SendRaw(cohort::Request request);
  void SendCall(cohort::Request request);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<cohort::Instance>, std::less<>> listening_;
};

}  // namespace behaviours

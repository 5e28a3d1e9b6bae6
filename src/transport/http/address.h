// Addresses: "host:port" and "[v6]:port" taken apart, resolved, and written again.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "base/status.h"

namespace cohort {

struct HostPort {
  std::string host;  // Without brackets; may be empty.
  std::string port;  // 0 to 65535, in decimal.
};

Result<HostPort> ParseHostPort(const std::string& address);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// All addresses of a name, in the system's order of preference. May ask the network when the host is a name. `passive`:
// to listen on; an empty host is then every address of the machine.
Result<std::vector<SocketAddress>> Resolve(const HostPort& host_port, bool passive);

// "10.0.0.7:8080", "[::1]:8080".
std::string ToString(const SocketAddress& address);

}  // namespace cohort

#include "transport/http/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include <algorithm>
#include <memory>

namespace cohort {

namespace {

constexpr unsigned long kMaxPort = 65535;

Status Invalid(const std::string& address, const char* why) {
  return Status(Code::kInvalidArgument, "address \"" + address + "\" " + why);
}

}  // namespace

Result<HostPort> ParseHostPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return Invalid(address, "is not host:port");
  HostPort result = {address.substr(0, colon), address.substr(colon + 1)};
  const bool digits = !result.port.empty() && result.port.size() <= 5 &&
                      std::all_of(result.port.begin(), result.port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || std::stoul(result.port) > kMaxPort) return Invalid(address, "has no port from 0 to 65535");
  if (result.host.size() >= 2 && result.host.front() == '[' && result.host.back() == ']') {
    result.host = result.host.substr(1, result.host.size() - 2);
  } else if (result.host.find(':') != std::string::npos) {
    return Invalid(address, "needs brackets around its IPv6 address, as in [::1]:8080");
  }
  for (const char c : result.host) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '[' || c == ']' || c == '/' || c == 0x7f) {
      return Invalid(address, "is not host:port");
    }
  }
  return result;
}

Result<std::vector<SocketAddress>> Resolve(const HostPort& host_port, bool passive) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  addrinfo* list = nullptr;
  const int error =
      getaddrinfo(host_port.host.empty() ? nullptr : host_port.host.c_str(), host_port.port.c_str(), &hints, &list);
  if (error != 0) {
    return Status(Code::kUnreachable, "cannot resolve \"" + host_port.host +
                                          "\": " + (error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error)));
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  std::vector<SocketAddress> result;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    result.push_back(address);
  }
  return result;
}

std::string ToString(const SocketAddress& address) {
  char host[INET6_ADDRSTRLEN] = "?";
  if (address.family() == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
    return "[" + std::string(host) + "]:" + std::to_string(ntohs(v6->sin6_port));
  }
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
  inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
  return std::string(host) + ":" + std::to_string(ntohs(v4->sin_port));
}

}  // namespace cohort

#include "capi/address.h"

#include "capi/check.h"

namespace cohort::capi {
namespace {

constexpr int kHighestPort = 65'535;

Status Wrong(std::string_view address, const char* name, const std::string& why) {
  return {Code::kInvalidArgument, std::string(name) + " '" + std::string(address) + "' " + why};
}

// -1 unless it is 1 to 5 digits.
int ParsePort(std::string_view digits) {
  if (digits.empty() || digits.size() > 5) return -1;
  int port = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return -1;
    port = port * 10 + (c - '0');
  }
  return port;
}

// What CheckAddress and CheckListenAddress have in common.
Status CheckHostPort(std::string_view address, bool listen, const char* name) {
  if (Status status = CheckName(address, name); !status.ok()) return status;
  if (address.find("://") != std::string_view::npos) {
    return Wrong(address, name, "names a scheme; give host:port alone");
  }
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || address.find('/') != std::string_view::npos) {
    return Wrong(address, name, "is not host:port");
  }
  const std::string_view host = address.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (host.empty() && !listen) return Wrong(address, name, "has no host");
  if (!bracketed && host.find(':') != std::string_view::npos) {
    return Wrong(address, name, "needs brackets around its IPv6 host: [host]:port");
  }
  const int lowest_port = listen ? 0 : 1;
  const int port = ParsePort(address.substr(colon + 1));
  if (port < lowest_port || port > kHighestPort) {
    return Wrong(address, name,
                 "needs a port from " + std::to_string(lowest_port) + " to " + std::to_string(kHighestPort));
  }
  return {};
}

}  // namespace

Status CheckName(std::string_view address, const char* name) {
  if (address.empty()) return {Code::kInvalidArgument, std::string(name) + " is empty"};
  if (address.size() > kMaxAddressBytes) {
    return {Code::kTooLarge, std::string(name) + " has " + std::to_string(address.size()) + " bytes; at most " +
                                 std::to_string(kMaxAddressBytes) + " are allowed"};
  }
  for (const char c : address) {
    if (c <= ' ' || c == '\x7f') {
      return {Code::kInvalidArgument, std::string(name) + " holds a blank or a control character"};
    }
  }
  return {};
}

Status CheckAddress(std::string_view address, const char* name) { return CheckHostPort(address, false, name); }

Status CheckListenAddress(std::string_view address, const char* name) { return CheckHostPort(address, true, name); }

std::vector<std::string> SplitLines(std::string_view lines) {
  std::vector<std::string> parts;
  if (lines.empty()) return parts;
  for (;;) {
    const size_t end = lines.find('\n');
    parts.emplace_back(lines.substr(0, end));
    if (end == std::string_view::npos) return parts;
    lines.remove_prefix(end + 1);
  }
}

}  // namespace cohort::capi

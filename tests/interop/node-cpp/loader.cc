#include "loader.h"

#include <chrono>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

namespace {

// N of "<prefix>N-...".
std::optional<int64_t> Number(const std::string& key, std::string_view prefix) {
  if (!key.starts_with(prefix)) {
    return std::nullopt;
  }
  const size_t end = key.find_first_not_of("0123456789", prefix.size());
  if (end == std::string::npos || end == prefix.size() || key[end] != '-') {
    return std::nullopt;
  }
  return std::stoll(key.substr(prefix.size(), end - prefix.size()));
}

}  // namespace

int64_t UnixNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Loader::Result Loader::Load(const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    ++counts_[key];
  }
  if (key.starts_with("missing-")) {
    return {Result::kNotFound, "not found: " + key, 0};
  }
  if (key.starts_with("fail-")) {
    return {Result::kFailed, "load failed: " + key, 0};
  }
  std::string value = name_ + ":" + key;
  int64_t expire_unix_ns = expire_ns_ > 0 ? UnixNow() + expire_ns_ : 0;
  if (key.starts_with("empty-")) {
    value.clear();
  }
  if (key.starts_with("bin-")) {
    for (int byte = 0; byte < 256; ++byte) {
      value += static_cast<char>(byte);
    }
  }
  if (const auto size = Number(key, "size-")) {
    value.resize(static_cast<size_t>(*size), '.');
  }
  if (const auto ms = Number(key, "slow-")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(*ms));
  }
  if (const auto ms = Number(key, "exp-")) {
    expire_unix_ns = UnixNow() + *ms * 1'000'000;
  }
  return {Result::kValue, std::move(value), expire_unix_ns};
}

std::map<std::string, int64_t> Loader::Counts(bool reset) {
  const std::lock_guard lock(mutex_);
  return reset ? std::exchange(counts_, {}) : counts_;
}

#include "bench/replay/trace.h"

#include <zlib.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <unordered_map>

namespace cohort::replay {

Trace ReadTrace(const std::string& path) {
  errno = 0;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (file == nullptr) throw std::runtime_error(path + ": " + std::strerror(errno != 0 ? errno : ENOMEM));
  Trace trace;
  std::unordered_map<std::string, uint32_t> numbers;
  const auto add = [&](const std::string& key) {
    const auto [at, is_new] = numbers.try_emplace(key, static_cast<uint32_t>(trace.keys.size()));
    if (is_new) trace.keys.push_back(key);
    trace.requests.push_back(at->second);
  };
  std::string line;
  std::array<char, 1 << 16> part;
  int size = 0;
  while ((size = gzread(file.get(), part.data(), part.size())) > 0) {
    for (int i = 0; i < size; ++i) {
      const char c = part[static_cast<size_t>(i)];
      if (c != '\n') {
        if (c != '\r') line += c;
        continue;
      }
      if (!line.empty()) add(line);
      line.clear();
    }
  }
  int error = Z_OK;
  const char* const message = gzerror(file.get(), &error);
  if (size < 0 || (error != Z_OK && error != Z_STREAM_END)) {
    throw std::runtime_error(path + ": " + (error == Z_ERRNO ? std::strerror(errno) : message));
  }
  if (!line.empty()) add(line);
  if (trace.requests.empty()) throw std::runtime_error(path + ": has no keys");
  return trace;
}

int64_t SizeOf(const std::string& key) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, and a last mixing.
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ hash >> 31) * 0x9E3779B97F4A7C15;
  const double part = static_cast<double>(hash >> 11) / static_cast<double>(uint64_t{1} << 53);
  return static_cast<int64_t>(64 * std::exp2(part * 8));
}

}  // namespace cohort::replay

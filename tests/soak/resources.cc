#include "soak/resources.h"

#include <dirent.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace soak {
namespace {

int64_t EntriesOf(const char* folder) {
  DIR* const entries = opendir(folder);
  if (entries == nullptr) return 0;
  int64_t count = 0;
  while (const dirent* entry = readdir(entries)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(entries);
  return count;
}

int64_t Median(const std::vector<Resources>& samples, size_t first, size_t last, int64_t Resources::*field) {
  std::vector<int64_t> values;
  for (size_t i = first; i < last; ++i) values.push_back(samples[i].*field);
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

}  // namespace

Resources ResourcesNow() {
  Resources now;
  int64_t pages = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  now.memory_bytes = resident * sysconf(_SC_PAGESIZE);
#ifdef __GLIBC__
  const struct mallinfo2 heap = mallinfo2();
  now.heap_bytes = static_cast<int64_t>(heap.uordblks + heap.hblkhd);
#endif
  now.threads = EntriesOf("/proc/self/task");
  now.descriptors = EntriesOf("/proc/self/fd") - 1;  // The folder's own.
  return now;
}

std::vector<std::string> Growth(const std::vector<Resources>& samples, const Limits& limits) {
  std::vector<std::string> grown;
  const size_t third = samples.size() / 3;
  if (third == 0) return {"there are only " + std::to_string(samples.size()) + " samples"};
  const auto check = [&](const char* what, int64_t Resources::*field, int64_t limit) {
    const int64_t before = Median(samples, 0, third, field);
    const int64_t after = Median(samples, samples.size() - third, samples.size(), field);
    if (after - before > limit) {
      grown.push_back(std::string(what) + " grew from " + std::to_string(before) + " to " + std::to_string(after));
    }
  };
  check("memory", &Resources::memory_bytes, limits.memory_bytes);
  check("the heap", &Resources::heap_bytes, limits.heap_bytes);
  check("threads", &Resources::threads, limits.threads);
  check("descriptors", &Resources::descriptors, limits.descriptors);
  return grown;
}

}  // namespace soak

// Loader makes the value of a key from the key alone, as every conformance node does, and counts each of its runs.
#ifndef COHORT_TESTS_INTEROP_NODE_CPP_LOADER_H_
#define COHORT_TESTS_INTEROP_NODE_CPP_LOADER_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

class Loader {
 public:
  // What became of a load; `text` is the value, or the error's message.
  struct Result {
    enum Kind { kValue, kNotFound, kFailed } kind;
    std::string text;
    int64_t expire_unix_ns;
  };

  // Values expire `expire_ns` after they were loaded; 0 = never.
  Loader(std::string name, int64_t expire_ns) : name_(std::move(name)), expire_ns_(expire_ns) {}

  // Runs one load. Any thread; may sleep.
  Result Load(const std::string& key);
  // How often each key was loaded; `reset` starts anew.
  std::map<std::string, int64_t> Counts(bool reset);

 private:
  const std::string name_;
  const int64_t expire_ns_;
  std::mutex mutex_;
  std::map<std::string, int64_t> counts_;
};

// The present in nanoseconds since the Unix epoch.
int64_t UnixNow();

#endif  // COHORT_TESTS_INTEROP_NODE_CPP_LOADER_H_

// Health is a circuit breaker for one peer: after failures in a row nobody asks it for a while, then one call tries.
// A trial that fails doubles the pause; any answer of the peer ends it. Thread safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/status.h"
#include "runtime/runtime.h"

namespace cohort {

struct HealthOptions {
  int failures = 5;  // In a row, to open the breaker; <= 0: it never opens.
  int64_t min_open_ms = 500;
  int64_t max_open_ms = 10'000;
};

class Health {
 public:
  // 0, or the number of a trial.
  using Permit = uint64_t;

  Health(std::string address, HealthOptions options, Clock& clock, Random& random);

  // May the peer be asked? If so, Report each end of what was asked under the permit. kUnreachable: not now.
  Result<Permit> Ask();

  // Ok: the peer answered, whatever it said. kUnreachable, kTimeout: it did not. Other ends say nothing about it.
  void Report(Permit permit, const Status& end);

 private:
  void Open();  // REQUIRES: mutex_ held.
  Result<Permit> AskSlowly();
  void ReportSlowly(Permit permit, const Status& end);

  const std::string address_;
  const HealthOptions options_;
  Clock& clock_;
  Random& random_;

  // Nothing below differs from its first state but last_trial_: so most calls touch no lock. Changed under mutex_.
  std::atomic<bool> well_{true};
  std::mutex mutex_;
  int failures_ = 0;  // In a row.
  std::string last_failure_;
  bool open_ = false;
  int64_t open_until_ns_ = 0;  // Monotonic.
  int times_opened_ = 0;       // Since the peer last answered.
  Permit trial_ = 0;           // Under way; 0 = none.
  Permit last_trial_ = 0;
};

}  // namespace cohort

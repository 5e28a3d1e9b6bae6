#include "measure.h"

#include <ctime>
#include <fstream>
#include <sstream>

namespace bench {

void Histogram::Add(const Histogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

double Histogram::QuantileUs(double q) const {
  int64_t all = 0;
  for (const int64_t count : counts_) all += count;
  auto left = static_cast<int64_t>(q * static_cast<double>(all));
  for (size_t i = 0; i < counts_.size(); ++i) {
    left -= counts_[i];
    if (left >= 0) continue;
    const size_t shift = i >> kBits;
    if (shift == 0) return static_cast<double>(i) / 1e3;
    const uint64_t low = ((i & ((1U << kBits) - 1)) | (1U << kBits)) << (shift - 1);
    return static_cast<double>(low) / 1e3;
  }
  return 0;
}

double CpuSeconds(int64_t pid) {
  timespec time{};
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  if (pid != 0 && clock_getcpuclockid(static_cast<pid_t>(pid), &clock) != 0) return 0;
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

int PortOf(const std::string& address) { return std::atoi(address.substr(address.rfind(':') + 1).c_str()); }

int ConnectionsTo(int port) {
  int found = 0;
  char wanted[8];
  std::snprintf(wanted, sizeof(wanted), ":%04X", static_cast<unsigned>(port));
  for (const char* file : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream in(file);
    std::string line;
    while (std::getline(in, line)) {
      std::istringstream words(line);
      std::string number, local, remote, state;
      words >> number >> local >> remote >> state;
      if (state == "01" && remote.size() > 5 && remote.compare(remote.size() - 5, 5, wanted) == 0) ++found;
    }
  }
  return found;
}

Stretch::Stretch(const Watched& watched)
    : watched_(watched),
      begin_(SteadyClock::now()),
      cpu_(CpuSeconds(0)),
      watched_cpu_(watched.pid == 0 ? 0 : CpuSeconds(watched.pid)) {}

void Stretch::Wait(double seconds) {
  for (int half = 0; half < 2; ++half) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds / 2));
    if (watched_.port != 0) connections_ = std::max(connections_, ConnectionsTo(watched_.port));
  }
}

void Stretch::Report(double operations, Json* json) const {
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin_).count();
  json->Add("ops_per_s", operations / seconds);
  json->Add("cpu_us", (CpuSeconds(0) - cpu_) / operations * 1e6);
  if (watched_.pid != 0) json->Add("peer_cpu_us", (CpuSeconds(watched_.pid) - watched_cpu_) / operations * 1e6);
  if (watched_.port != 0) json->Add("connections", connections_);
}

void ReportTimes(const Histogram& times, Json* json) {
  json->Add("p50_us", times.QuantileUs(0.5))
      .Add("p99_us", times.QuantileUs(0.99))
      .Add("p999_us", times.QuantileUs(0.999));
}

namespace {

double StatusOf(const char* name) {
  std::ifstream in("/proc/self/status");
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind(name, 0) == 0) return std::atof(line.c_str() + line.find_first_of("0123456789"));
  }
  return 0;
}

}  // namespace

double ResidentBytes() { return StatusOf("VmRSS:") * 1024; }

int Threads() { return static_cast<int>(StatusOf("Threads:")); }

}  // namespace bench

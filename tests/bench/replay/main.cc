// cohort-replay: hit ratios of the cache, and of other policies beside it, on recorded requests.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/replay/replay.h"

namespace {

constexpr char kUsage[] =
    "usage: cohort-replay --policy POLICY (--entries N | --bytes N) FILE[.gz]...\n"
    "\n"
    "Replays files with one key a line through the cache and prints a line for each: requests, hits, hit ratio.\n"
    "\n"
    "  --policy    adaptive or lru: the cache's own. reference:lru, reference:sieve, reference:s3fifo, reference:arc "
    "or\n"
    "              reference:wtinylfu or reference:gdsf: a model of that policy. Several, with commas between, print a "
    "line each.\n"
    "  --entries   how many entries it may hold, or, as 5%, how many for a hundred different keys of the file; all "
    "values\n"
    "              are of one size\n"
    "  --bytes     how many bytes it may hold, overheads included, or, as 5%, of what all keys of the file would "
    "take;\n"
    "              values are of 64 bytes to 16 KiB, the same for equal keys\n";

struct Arguments {
  std::vector<std::string> policies;
  cohort::replay::Room room;
  std::vector<std::string> files;
  bool help = false;
};

Arguments Parse(const std::vector<std::string>& given) {
  Arguments arguments;
  bool has_room = false;
  for (size_t i = 0; i < given.size(); ++i) {
    const std::string& name = given[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == given.size()) throw std::runtime_error(name + " wants a value");
      return given[++i];
    };
    if (name == "--help" || name == "-h") {
      arguments.help = true;
    } else if (name == "--policy") {
      std::string policies = value() + ",";
      for (size_t end = 0; (end = policies.find(',')) != std::string::npos; policies.erase(0, end + 1)) {
        arguments.policies.push_back(policies.substr(0, end));
      }
    } else if (name == "--entries" || name == "--bytes") {
      if (has_room) throw std::runtime_error("either --entries or --bytes, and once");
      arguments.room = cohort::replay::ParseRoom(value(), name == "--bytes");
      has_room = true;
    } else if (name.size() > 1 && name[0] == '-') {
      throw std::runtime_error("there is no option " + name);
    } else {
      arguments.files.push_back(name);
    }
  }
  if (arguments.help) return arguments;
  if (arguments.policies.empty()) throw std::runtime_error("--policy is missing");
  if (!has_room) throw std::runtime_error("--entries or --bytes is missing");
  if (arguments.files.empty()) throw std::runtime_error("a file is missing");
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = Parse(std::vector<std::string>(argv + 1, argv + argc));
    if (arguments.help) {
      std::fputs(kUsage, stdout);
      return 0;
    }
    for (const std::string& file : arguments.files) {
      const cohort::replay::Trace trace = cohort::replay::ReadTrace(file);
      for (const std::string& policy : arguments.policies) {
        const cohort::replay::Result result = cohort::replay::Replay(trace, policy, arguments.room);
        std::printf("%s %s %s=%lld requests=%lld hits=%lld ratio=%.4f\n", file.c_str(), policy.c_str(),
                    arguments.room.bytes ? "bytes" : "entries", static_cast<long long>(result.room),
                    static_cast<long long>(result.requests), static_cast<long long>(result.hits),
                    static_cast<double>(result.hits) / static_cast<double>(result.requests));
        std::fflush(stdout);
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cohort-replay: %s\n", error.what());
    return 2;
  }
  return 0;
}

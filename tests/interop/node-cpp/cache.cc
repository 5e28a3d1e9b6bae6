#include "cache.h"

#include <cstdio>

namespace {

cohort::InstanceOptions InstanceOptionsOf(const Cache::Options& options) {
  return cohort::InstanceOptions()
      .name(options.name)
      .replicas(options.replicas)
      .logger(cohort::LogLevel::info, [](cohort::LogLevel level, std::string_view message) {
        std::fprintf(stderr, "level %d: %.*s\n", static_cast<int>(level), static_cast<int>(message.size()),
                     message.data());
      });
}

cohort::GroupOptions GroupOptionsOf(const Cache::Options& options, Loader* loader) {
  return cohort::GroupOptions().cache_bytes(options.cache_bytes).getter([loader](std::string_view key) {
    Loader::Result result = loader->Load(std::string(key));
    switch (result.kind) {
      case Loader::Result::kNotFound:
        throw cohort::NotFound(result.text);
      case Loader::Result::kFailed:
        throw std::runtime_error(result.text);
      case Loader::Result::kValue:
        break;
    }
    return cohort::Value(std::move(result.text), result.expire_unix_ns);
  });
}

}  // namespace

Cache::Cache(const Options& options, Loader* loader)
    : instance_(InstanceOptionsOf(options)),
      group_(instance_.new_group(options.group, GroupOptionsOf(options, loader))) {
  instance_.listen(options.listen);
}

std::map<std::string, int64_t> Cache::Stats() const {
  const auto stats = group_.stats();
  return {{"gets", stats.gets},
          {"cache_hits", stats.cache_hits},
          {"peer_loads", stats.peer_loads},
          {"peer_errors", stats.peer_errors},
          {"loads", stats.loads},
          {"loads_deduped", stats.loads_deduped},
          {"local_loads", stats.local_loads},
          {"local_load_errs", stats.local_load_errors},
          {"main_bytes", group_.cache_stats(cohort::Tier::main).bytes},
          {"hot_bytes", group_.cache_stats(cohort::Tier::hot).bytes}};
}

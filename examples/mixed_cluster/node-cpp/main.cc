// A member of the mixed cluster in C++, over cohort.hpp.
//
// The getter renders a package's page from the SQLite database. cpp-httplib carries the control port that the driver
// uses: /ping /get /set /remove /stats /loads /owner.
#include <httplib.h>
#include <signal.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <cohort/cohort.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

// This node's source of truth, and what it was asked.
class Catalog {
 public:
  Catalog(const std::string& database, const std::string& sql_file) {
    std::ifstream file(sql_file);
    std::stringstream sql;
    sql << file.rdbuf();
    if (sqlite3_open_v2(database.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK ||
        sqlite3_prepare_v2(database_, sql.str().c_str(), -1, &page_, nullptr) != SQLITE_OK) {
      throw std::runtime_error(database + ": " + sqlite3_errmsg(database_));
    }
  }
  ~Catalog() {
    sqlite3_finalize(page_);
    sqlite3_close(database_);
  }
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  std::string Page(std::string_view package) {
    std::lock_guard<std::mutex> lock(mutex_);
    ++queries_;
    loads_.append(package).append("\n");
    sqlite3_reset(page_);
    sqlite3_bind_text(page_, 1, package.data(), static_cast<int>(package.size()), SQLITE_TRANSIENT);
    const int step = sqlite3_step(page_);
    if (step == SQLITE_DONE) throw cohort::NotFound("no such package");
    if (step != SQLITE_ROW) throw std::runtime_error(sqlite3_errmsg(database_));
    return {static_cast<const char*>(sqlite3_column_blob(page_, 0)),
            static_cast<size_t>(sqlite3_column_bytes(page_, 0))};
  }
  long queries() {
    std::lock_guard<std::mutex> lock(mutex_);
    return queries_;
  }
  std::string loads() {
    std::lock_guard<std::mutex> lock(mutex_);
    return loads_;
  }

 private:
  std::mutex mutex_;  // One connection, one statement, one load at a time.
  sqlite3* database_ = nullptr;
  sqlite3_stmt* page_ = nullptr;
  long queries_ = 0;
  std::string loads_;
};

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

int64_t UnixNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void Serve(httplib::Server& server, cohort::Instance& instance, cohort::Group& group, Catalog& catalog) {
  using httplib::Request;
  using httplib::Response;
  constexpr const char* kText = "text/plain";
  server.Get("/ping", [](const Request&, Response& response) { response.set_content("C++", kText); });
  server.Get("/get", [&](const Request& request, Response& response) {
    const auto begin = std::chrono::steady_clock::now();
    const cohort::Value page = group.get(request.get_param_value("key"), std::chrono::seconds(10));
    const auto taken = std::chrono::steady_clock::now() - begin;
    response.set_header("Get-Us", std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(taken).count()));
    response.set_content(page.data(), page.size(), kText);
  });
  server.Put("/set", [&](const Request& request, Response&) {
    const int64_t expire_ms = std::atoll(request.get_param_value("expire_ms").c_str());
    group.set(request.get_param_value("key"), request.body, expire_ms == 0 ? 0 : UnixNs() + expire_ms * 1'000'000);
  });
  server.Post("/remove", [&](const Request& request, Response&) { group.remove(request.get_param_value("key")); });
  server.Get("/owner", [&](const Request& request, Response& response) {
    response.set_content(instance.owner(request.get_param_value("key")), kText);
  });
  server.Get("/stats", [&](const Request&, Response& response) {
    const auto stats = group.stats();
    response.set_content("{\"gets\":" + std::to_string(stats.gets) + ",\"hits\":" + std::to_string(stats.cache_hits) +
                             ",\"from_peers\":" + std::to_string(stats.peer_loads) +
                             ",\"loads\":" + std::to_string(stats.local_loads) +
                             ",\"queries\":" + std::to_string(catalog.queries()) + "}",
                         "application/json");
  });
  server.Get("/loads", [&](const Request&, Response& response) { response.set_content(catalog.loads(), kText); });
  server.set_exception_handler([](const Request&, Response& response, std::exception_ptr failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const cohort::NotFound& error) {
      response.status = 404;
      response.set_content(error.what(), kText);
    } catch (const std::exception& error) {
      response.status = 502;
      response.set_content(error.what(), kText);
    }
  });
}

}  // namespace

int main(int argc, char** argv) try {
  std::map<std::string, std::string> flags;
  for (int i = 1; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
  const std::string self = flags.at("-listen");
  const std::string control = flags.at("-ctl");

  Catalog catalog(flags.at("-db"), flags.at("-sql"));
  cohort::Instance instance;
  cohort::Group group =
      instance.new_group("packages", cohort::GroupOptions().cache_bytes(64 << 20).getter([&](std::string_view package) {
        return cohort::Value(catalog.Page(package));
      }));
  instance.listen(self);
  instance.set_peers(Split(flags.at("-peers"), ','), self);

  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(32); };
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(1'000'000);
  Serve(server, instance, group, catalog);
  const size_t colon = control.rfind(':');
  if (!server.listen(control.substr(0, colon), std::stoi(control.substr(colon + 1)))) {
    throw std::runtime_error("cannot listen on " + control);
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "node-cpp: %s\n", error.what());
  return 1;
}

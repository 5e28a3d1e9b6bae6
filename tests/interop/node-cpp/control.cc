#include "control.h"

#include <httplib.h>
#include <sys/socket.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base64.h"

namespace {

using nlohmann::json;

json ToJson(const cohort::Status& status) {
  if (status.ok()) {
    return {{"ok", true}};
  }
  const cohort::Code code = status.code();
  return {{"ok", false},
          {"err", status.message()},
          {"kind", code == cohort::Code::not_found       ? "notfound"
                   : code == cohort::Code::remote_failed ? "remote"
                                                         : "other"}};
}

json ToJson(const cohort::Result<cohort::Value>& result) {
  if (!result.ok()) {
    return ToJson(result.status());
  }
  json out = {{"ok", true}, {"v64", Base64Encode(result->view())}, {"len", result->size()}};
  if (!result->expiry().never()) {
    out["exp_ns"] = result->expiry().unix_ns();
  }
  return out;
}

// The outcome of something that throws when it fails.
json Try(const std::function<void()>& action) {
  try {
    action();
    return ToJson(cohort::Status());
  } catch (const cohort::Error& error) {
    return ToJson(cohort::Status(error.code(), error.what()));
  }
}

// What a call is about: ?k64= or ?key= and the body as the value, or both in a JSON body.
struct Subject {
  explicit Subject(const httplib::Request& request) : value(request.body) {
    if (request.has_param("k64")) {
      key = Base64Decode(request.get_param_value("k64"));
    } else if (request.has_param("key") || request.body.empty()) {
      key = request.get_param_value("key");
    } else {
      const json body = json::parse(request.body);
      key = Base64Decode(body.at("k64").get<std::string>());
      value = Base64Decode(body.value("v64", ""));
    }
  }
  std::string key;
  std::string value;
};

// The strings of a JSON array; null is none.
std::vector<std::string> StringsOf(const httplib::Request& request) {
  const json body = json::parse(request.body);
  return body.is_null() ? std::vector<std::string>() : body.get<std::vector<std::string>>();
}

std::vector<std::string> KeysOf(const httplib::Request& request) {
  std::vector<std::string> keys = StringsOf(request);
  for (std::string& key : keys) {
    key = Base64Decode(key);
  }
  return keys;
}

// A number of the query, 0 when it is not there.
int64_t NumberOf(const httplib::Request& request, const char* name) {
  return request.has_param(name) ? std::stoll(request.get_param_value(name)) : 0;
}

// Turns "what to answer" into a handler; bad input is a 400 that says why.
httplib::Server::Handler Answering(std::function<json(const httplib::Request&)> answer) {
  return [answer = std::move(answer)](const httplib::Request& request, httplib::Response& response) {
    try {
      response.set_content(answer(request).dump(-1, ' ', false, json::error_handler_t::replace), "application/json");
    } catch (const std::exception& problem) {
      response.status = 400;
      response.set_content(problem.what(), "text/plain");
    }
  };
}

void AddRoutes(httplib::Server& server, const Cache::Options& options, Cache* cache, Loader* loader) {
  server.Get("/ping", Answering([&options](const auto&) {
               return json{{"name", options.name}, {"peer", options.listen}, {"impl", "cpp"}};
             }));
  const auto get = Answering([cache](const auto& r) {
    return ToJson(cache->group().try_get(Subject(r).key, cohort::Milliseconds(NumberOf(r, "timeout_ms"))));
  });
  server.Get("/get", get);
  server.Post("/get", get);
  server.Post("/getmany", Answering([cache](const auto& r) {
                json out = json::array();
                for (const auto& result : cache->group().get_many(KeysOf(r))) {
                  out.push_back(ToJson(result));
                }
                return out;
              }));
  server.Post("/set", Answering([cache](const auto& r) {
                const Subject subject(r);
                const int64_t expire_ms = NumberOf(r, "expire_ms");
                return ToJson(cache->group().try_set(
                    subject.key, subject.value,
                    expire_ms == 0 ? cohort::Expiry() : cohort::Expiry(cohort::Milliseconds(expire_ms))));
              }));
  server.Post("/remove",
              Answering([cache](const auto& r) { return ToJson(cache->group().try_remove(Subject(r).key)); }));
  server.Post("/removekeys",
              Answering([cache](const auto& r) { return ToJson(cache->group().try_remove_keys(KeysOf(r))); }));
  server.Post("/owners", Answering([cache](const auto& r) {
                json out = json::array();
                for (const std::string& key : KeysOf(r)) {
                  out.push_back(cache->instance().owner(key));
                }
                return out;
              }));
  server.Post("/peers", Answering([cache, &options](const auto& r) {
                return Try([&] {
                  cache->instance().set_peers(StringsOf(r),
                                              r.has_param("self") ? r.get_param_value("self") : options.listen);
                });
              }));
  server.Get("/loads", Answering([loader](const auto& r) {
               json out = json::object();
               const std::string wanted = r.get_param_value("k64");
               for (const auto& [key, count] : loader->Counts(r.has_param("reset"))) {
                 if (const std::string k64 = Base64Encode(key); wanted.empty() || k64 == wanted) {
                   out[k64] = count;
                 }
               }
               return out;
             }));
  server.Get("/stats", Answering([cache](const auto&) { return json(cache->Stats()); }));
}

}  // namespace

void ServeControl(const std::string& address, const Cache::Options& options, Cache* cache, Loader* loader) {
  httplib::Server server;
  // Each waiting call holds a thread, and the tests let hundreds wait at once.
  server.new_task_queue = [] { return new httplib::ThreadPool(400); };
  server.set_read_timeout(60);
  server.set_write_timeout(60);
  int listener = -1;
  server.set_socket_options([&listener](int socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    listener = socket;
  });
  AddRoutes(server, options, cache, loader);

  const size_t colon = address.rfind(':');
  if (colon == std::string::npos ||
      !server.bind_to_port(address.substr(0, colon), std::stoi(address.substr(colon + 1)))) {
    throw std::runtime_error("cannot listen on " + address);
  }
  listen(listener, 1024);  // cpp-httplib's own backlog is 5: many connections at once would stall
  server.listen_after_bind();
}

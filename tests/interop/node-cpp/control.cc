#include "control.h"

#include <httplib.h>
#include <sys/socket.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base64.h"

namespace {

using nlohmann::json;

json ToJson(const Answer& answer) {
  if (!answer.kind.empty()) {
    return {{"ok", false}, {"err", answer.error}, {"kind", answer.kind}};
  }
  json out = {{"ok", true}, {"v64", Base64Encode(answer.value)}, {"len", answer.value.size()}};
  if (answer.expire_unix_ns != 0) {
    out["exp_ns"] = answer.expire_unix_ns;
  }
  return out;
}

std::string KeyOf(const httplib::Request& request) {
  return request.has_param("k64") ? Base64Decode(request.get_param_value("k64")) : request.get_param_value("key");
}

std::vector<std::string> KeysOf(const httplib::Request& request) {
  std::vector<std::string> keys;
  for (const std::string k64 : json::parse(request.body)) {
    keys.push_back(Base64Decode(k64));
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

  server.Get("/ping", Answering([&](const auto&) {
               return json{{"name", options.name}, {"peer", options.listen}, {"impl", "cpp"}};
             }));
  server.Get("/get", Answering([&](const auto& r) { return ToJson(cache->Get(KeyOf(r), NumberOf(r, "timeout_ms"))); }));
  server.Post("/getmany", Answering([&](const auto& r) {
                json out = json::array();
                for (const Answer& answer : cache->GetMany(KeysOf(r))) {
                  out.push_back(ToJson(answer));
                }
                return out;
              }));
  server.Post("/set", Answering([&](const auto& r) {
                const int64_t expire_ms = NumberOf(r, "expire_ms");
                return ToJson(cache->Set(KeyOf(r), r.body, expire_ms == 0 ? 0 : UnixNow() + expire_ms * 1'000'000));
              }));
  server.Post("/remove", Answering([&](const auto& r) { return ToJson(cache->Remove(KeyOf(r))); }));
  server.Post("/removekeys", Answering([&](const auto& r) { return ToJson(cache->RemoveKeys(KeysOf(r))); }));
  server.Post("/owners", Answering([&](const auto& r) {
                json out = json::array();
                for (const std::string& key : KeysOf(r)) {
                  out.push_back(cache->Owner(key));
                }
                return out;
              }));
  server.Post("/peers", Answering([&](const auto& r) {
                const json addresses = json::parse(r.body);
                return ToJson(cache->SetPeers(addresses.is_null() ? std::vector<std::string>{}
                                                                  : addresses.template get<std::vector<std::string>>(),
                                              r.has_param("self") ? r.get_param_value("self") : options.listen));
              }));
  server.Get("/loads", Answering([&](const auto& r) {
               json out = json::object();
               for (const auto& [key, count] : loader->Counts(r.has_param("reset"))) {
                 out[Base64Encode(key)] = count;
               }
               return out;
             }));
  server.Get("/stats", Answering([&](const auto&) { return json(cache->Stats()); }));

  const size_t colon = address.rfind(':');
  if (colon == std::string::npos ||
      !server.bind_to_port(address.substr(0, colon), std::stoi(address.substr(colon + 1)))) {
    throw std::runtime_error("cannot listen on " + address);
  }
  listen(listener, 1024);  // cpp-httplib's own backlog is 5: many connections at once would stall
  server.listen_after_bind();
}

#include "cluster/service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cluster/extension.h"
#include "cluster/life.h"
#include "cluster/served_batch.h"
#include "cluster/served_session.h"
#include "cluster/text.h"
#include "wire/messages.h"
#include "wire/path.h"

namespace cohort {
namespace {

constexpr std::string_view kRemoveKeys = "_remove-keys/";

ServedResponse Answer(int status) {
  ServedResponse response;
  response.status = status;
  response.headers.emplace_back(kCohortHeader, kCohortVersion);
  return response;
}

// An error as Go's http.Error writes it.
ServedResponse ErrorAnswer(int status, std::string text) {
  ServedResponse response = Answer(status);
  response.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  text.push_back('\n');
  response.body = std::move(text);
  return response;
}

// What Go's server says before any handler sees the request.
ServedResponse BrokenEscapeAnswer() {
  ServedResponse response = Answer(400);
  response.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  response.body = std::string("400 Bad Request");
  return response;
}

ServedResponse ProtobufAnswer(Body body) {
  ServedResponse response = Answer(200);
  response.headers.emplace_back("Content-Type", kProtobufType);
  response.body = std::move(body);
  return response;
}

// Go's mux sends those who left out the last slash to the right path.
ServedResponse RedirectAnswer(const std::string& method, const std::string& location) {
  ServedResponse response = Answer(307);
  response.headers.emplace_back("Location", location);
  if (method != "GET" && method != "HEAD") return response;
  response.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  response.body = "<a href=\"" + location + "\">Temporary Redirect</a>.\n\n";
  return response;
}

ServedResponse GetAnswer(ServedGroup::Answer answer, int64_t now_unix_ns) {
  switch (answer.status.code()) {
    case Code::kOk:
      break;
    case Code::kNotFound:
      return ErrorAnswer(404, answer.status.message());
    case Code::kLoadFailed:
      return ErrorAnswer(503, answer.status.message());
    default:
      return ErrorAnswer(500, answer.status.message());
  }
  if (!answer.value) return ErrorAnswer(500, "the value is gone");
  // A groupcache-go node hands out a value that has expired, and keeps it nowhere.
  const int64_t expire_unix_ns = answer.keep ? answer.value->expire_unix_ns() : 1;
  ServedResponse response = ProtobufAnswer(EncodeServedValue(std::move(answer.value), expire_unix_ns));
  const int64_t life_ms = RemainingLifeMs(expire_unix_ns, now_unix_ns);
  if (answer.keep && life_ms >= 0) response.headers.emplace_back(kLifeHeader, std::to_string(life_ms));
  return response;
}

// The shorter of the listener's limit and the time for which the asker says it waits.
int64_t TimeoutMs(const Request& request) {
  const std::string* header = FindHeader(request.headers, kTimeoutHeader);
  const int64_t asked_ms = header != nullptr ? ParseDecimal(*header).value_or(0) : 0;
  if (asked_ms <= 0) return request.timeout_ms;
  return request.timeout_ms > 0 ? std::min(asked_ms, request.timeout_ms) : asked_ms;
}

ServedResponse Put(ServedGroup& group, const Request& request, int64_t now_unix_ns) {
  const Result<wire::SetRequest> set = wire::DecodeSetRequest(request.body);
  if (!set.ok()) return ErrorAnswer(400, set.status().message());
  int64_t expire_unix_ns = set->expire_unix_ns;
  if (const std::string* header = FindHeader(request.headers, kLifeHeader)) {
    if (const auto life_ms = ParseDecimal(*header)) expire_unix_ns = ExpireAfterMs(*life_ms, now_unix_ns);
  }
  const bool from_cohort = FindHeader(request.headers, kCohortHeader) != nullptr;
  group.ServeSet(set->key, set->value, expire_unix_ns, from_cohort);
  return Answer(200);
}

ServedResponse RemoveKeys(ServedGroup& group, const std::string& body) {
  const Result<std::vector<std::string>> keys = wire::DecodeRemoveKeys(body);
  if (!keys.ok()) return ErrorAnswer(400, keys.status().message());
  for (const std::string& key : *keys) group.ServeRemove(key);
  return Answer(200);
}

}  // namespace

struct Service::Asked {
  Request request;
  wire::SplitPath path;
  UniqueFunction<void(ServedResponse)> done;
};

Service::Service(std::string base_path, std::weak_ptr<ServedGroups> groups, Runtime& runtime)
    : base_path_(std::move(base_path)),
      groups_(std::move(groups)),
      runtime_(runtime),
      clock_(runtime.clock()),
      sessions_(std::make_unique<ServedSessions>(runtime)) {}

Service::~Service() = default;

void Service::Sweep() { sessions_->Sweep(); }

bool Service::AwaitCollected(int64_t deadline_ns) { return sessions_->AwaitCollected(deadline_ns); }

void Service::Handle(Request request, UniqueFunction<void(ServedResponse)> done) {
  Asked asked{std::move(request), {}, std::move(done)};
  const std::string_view target = asked.request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  asked.path = wire::SplitTarget(base_path_, path);
  switch (asked.path.kind) {
    case wire::PathKind::kElsewhere:
      if (std::string(path) + "/" == base_path_) {
        return asked.done(RedirectAnswer(asked.request.method, base_path_));
      }
      return asked.done(ErrorAnswer(404, "404 page not found"));
    case wire::PathKind::kBad:
      if (!wire::PathUnescape(path).ok()) return asked.done(BrokenEscapeAnswer());
      return asked.done(ErrorAnswer(400, "bad request"));
    case wire::PathKind::kExtension:
      if (asked.request.method == "POST" && asked.path.key == kBatchName) return ServeBatch(std::move(asked));
      if (asked.request.method == "POST" && asked.path.key == kCollectName) return ServeCollect(std::move(asked));
      return ServeKey(
          std::move(asked));  // There may be a group of that name: no other of its requests looks like ours.
    case wire::PathKind::kKey:
      return ServeKey(std::move(asked));
  }
}

void Service::ServeKey(Asked asked) {
  const std::shared_ptr<ServedGroups> groups = groups_.lock();
  if (!groups) return asked.done(ErrorAnswer(500, "this node is shutting down"));
  const std::shared_ptr<ServedGroup> group = groups->FindServed(asked.path.group);
  if (!group) return asked.done(ErrorAnswer(500, "this node has no group " + Quoted(asked.path.group)));

  const std::string& method = asked.request.method;
  if (method == "GET") {
    const std::string_view key = asked.path.key;
    ValueRef value;
    group->ServeHits(&key, 1, &value);
    if (value) return asked.done(GetAnswer({Status(), std::move(value), true}, clock_.UnixNs()));
    // Done may come when this service is gone; the clock is not.
    group->ServeGet(key, TimeoutMs(asked.request),
                    [&clock = clock_, done = std::move(asked.done)](ServedGroup::Answer answer) mutable {
                      done(GetAnswer(std::move(answer), clock.UnixNs()));
                    });
    return;
  }
  if (method == "DELETE") {
    group->ServeRemove(asked.path.key);
    return asked.done(Answer(200));
  }
  if (method == "PUT") return asked.done(Put(*group, asked.request, clock_.UnixNs()));
  if (method == "POST") {
    if (asked.path.key.compare(0, kRemoveKeys.size(), kRemoveKeys) == 0) {
      return asked.done(RemoveKeys(*group, asked.request.body));
    }
    return asked.done(ErrorAnswer(404, "invalid path for POST method"));
  }
  asked.done(ErrorAnswer(405, "Only GET, DELETE, PUT, POST are supported"));
}

void Service::ServeBatch(Asked asked) {
  wire::Session note;
  const Result<std::vector<wire::BatchEntryView>> entries = wire::ViewBatch(asked.request.body, &note);
  if (!entries.ok()) return asked.done(ErrorAnswer(400, entries.status().message()));
  if (entries->size() > kMaxBatchEntries) {
    return asked.done(ErrorAnswer(400, "a batch holds up to " + std::to_string(kMaxBatchEntries) +
                                           " entries, this one has " + std::to_string(entries->size())));
  }
  const std::shared_ptr<ServedGroups> groups = groups_.lock();
  if (!groups) return asked.done(ErrorAnswer(500, "this node is shutting down"));
  const std::shared_ptr<ServedSession> session = sessions_->Open(note.id);
  // With a session the request's time is only that of its first answer.
  const int64_t limit_ms = session ? 0 : TimeoutMs(asked.request);
  ServedBatch::Run(*groups, *entries, limit_ms, session, runtime_,
                   [done = std::move(asked.done)](Body body) mutable { done(ProtobufAnswer(std::move(body))); });
  // Last, so that a key that is dropped and asked for again, because one caller has left and another has not, is never
  // without somebody who waits.
  if (session) session->Note(note);
}

void Service::ServeCollect(Asked asked) {
  int64_t wait_ms = 0;
  const Result<wire::Session> note = wire::DecodeCollect(asked.request.body, &wait_ms);
  if (!note.ok()) return asked.done(ErrorAnswer(400, note.status().message()));
  const std::shared_ptr<ServedSession> session = sessions_->Find(note->id);
  if (!session) return asked.done(ProtobufAnswer(wire::EncodeBatchAnswers(std::vector<wire::BatchAnswerView>(), 0)));
  session->Note(*note);
  // An answer must leave before the listener gives the handler up.
  if (const int64_t limit_ms = TimeoutMs(asked.request); limit_ms > 0) {
    wait_ms = std::min(wait_ms, std::max<int64_t>(1, limit_ms - limit_ms / 4));
  }
  session->Collect(wait_ms,
                   [done = std::move(asked.done)](Body body) mutable { done(ProtobufAnswer(std::move(body))); });
}

}  // namespace cohort

#include "cluster/peer_answers.h"

#include <new>
#include <string>
#include <utility>

#include "cluster/extension.h"
#include "cluster/life.h"
#include "cluster/skew.h"
#include "cluster/text.h"

namespace cohort {
namespace {

PeerAnswer Found(std::string_view key, std::string_view bytes, int64_t expire_unix_ns, bool keep, int64_t now_unix_ns,
                 const std::string& address) {
  PeerAnswer answer;
  try {
    answer.value = Value::Copy(key, bytes, expire_unix_ns);
  } catch (const std::bad_alloc&) {
    return FailedAnswer(Status(Code::kNoMemory, "no memory for the " + std::to_string(bytes.size()) +
                                                    " bytes that peer " + address + " answered"));
  }
  answer.keep = keep && !answer.value->ExpiredAt(now_unix_ns);
  return answer;
}

}  // namespace

PeerAnswer FailedAnswer(Status status) {
  PeerAnswer answer;
  answer.status = std::move(status);
  return answer;
}

PeerAnswer ReadPlainAnswer(const PeerLine& line, std::string_view key, const Response& response, int64_t sent_unix_ns) {
  switch (response.status) {
    case 200:
      break;
    case 404:
      return FailedAnswer(Status(Code::kNotFound, TrimNewlines(response.body)));
    case 503:
      return FailedAnswer(Status(Code::kRemoteFailed, TrimNewlines(response.body)));
    default:
      return FailedAnswer(line.Unexpected(response));
  }
  const Result<wire::GetResponseView> message = wire::ViewGetResponse(response.body);
  if (!message.ok()) return FailedAnswer(line.Unreadable(message.status()));
  const int64_t now_unix_ns = line.clock().UnixNs();
  int64_t expire_unix_ns = message->expire_unix_ns;
  const std::string* life = FindHeader(response.headers, kLifeHeader);
  if (const auto life_ms = life != nullptr ? ParseDecimal(*life) : std::nullopt) {
    expire_unix_ns = ExpireAfterMs(*life_ms, now_unix_ns);
  } else if (const std::string* header = FindHeader(response.headers, "Date");
             header != nullptr && expire_unix_ns != 0) {
    if (const auto date_unix_s = ParseHttpDate(*header)) {
      expire_unix_ns = CorrectExpiry(expire_unix_ns, SkewNs(*date_unix_s, sent_unix_ns, now_unix_ns));
    }
  }
  return Found(key, message->value, expire_unix_ns, true, now_unix_ns, line.address());
}

PeerAnswer ReadBatchAnswer(const PeerLine& line, std::string_view key, const wire::BatchAnswerView& answer,
                           const HeardAt& now) {
  switch (answer.code) {
    case Code::kOk: {
      PeerAnswer found = Found(key, answer.value, ExpireAfterMs(answer.life_ms, now.unix_ns), answer.keep, now.unix_ns,
                               line.address());
      found.now_ns = now.ns;
      found.now_unix_ns = now.unix_ns;
      return found;
    }
    case Code::kNotFound:
    case Code::kRemoteFailed:
      return FailedAnswer(Status(answer.code, std::string(answer.message)));
    default:
      return FailedAnswer(
          Status(Code::kUnreachable, "peer " + line.address() + " answered: " + std::string(answer.message)));
  }
}

PeerAnswer ReadOnlyAnswer(const PeerLine& line, std::string_view key, const Response& response) {
  if (response.status != 200) return FailedAnswer(line.Unexpected(response));
  uint64_t incarnation = 0;
  const Result<std::vector<wire::BatchAnswerView>> answers = wire::ViewBatchAnswers(response.body, &incarnation);
  if (!answers.ok()) return FailedAnswer(line.Unreadable(answers.status()));
  if (answers->size() != 1) {
    return FailedAnswer(
        line.Unreadable(Status(Code::kInternal, std::to_string(answers->size()) + " answers to a batch of 1")));
  }
  return ReadBatchAnswer(line, key, answers->front(), HeardAt(line.clock()));
}

}  // namespace cohort

// Any body is decoded or refused; what was decoded is the same again after another round trip.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/messages.h"

namespace {

using namespace cohort;        // NOLINT(google-build-using-namespace)
using namespace cohort::wire;  // NOLINT(google-build-using-namespace)

void Check(bool holds) {
  if (!holds) std::abort();
}

// A refusal is one line that says something.
template <typename T>
bool Decoded(const Result<T>& result) {
  if (result.ok()) return true;
  Check(!result.status().message().empty() && result.status().message().find('\n') == std::string::npos);
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);

  // Protobuf's own parser and ours.
  const auto view = ViewGetResponse(body);
  Check(view.ok() == DecodeGetResponse(body).ok());
  if (const auto get = DecodeGetResponse(body); Decoded(get)) {
    Check(view->value == get->value && view->expire_unix_ns == get->expire_unix_ns);
    const auto again = DecodeGetResponse(EncodeGetResponse(get->value, get->expire_unix_ns));
    Check(again.ok() && again->value == get->value && again->expire_unix_ns == get->expire_unix_ns);
  }
  if (const auto set = DecodeSetRequest(body); Decoded(set)) {
    const auto again = DecodeSetRequest(EncodeSetRequest(set->group, set->key, set->value, set->expire_unix_ns));
    Check(again.ok() && again->group == set->group && again->key == set->key && again->value == set->value &&
          again->expire_unix_ns == set->expire_unix_ns);
  }
  if (const auto keys = DecodeRemoveKeys(body); Decoded(keys)) {
    for (const std::string& key : *keys) Check(IsUtf8(key));
    const auto again = DecodeRemoveKeys(EncodeRemoveKeys(body, *keys));
    Check(again.ok() && *again == *keys);
  }
  Session session;
  if (const auto entries = DecodeBatch(body, &session); Decoded(entries)) {
    const std::string encoded = EncodeBatch(*entries, session);
    Session same;
    const auto again = DecodeBatch(encoded, &same);
    Check(again.ok() && again->size() == entries->size() && EncodeBatch(*again, same) == encoded);
  }
  int64_t wait_ms = 0;
  if (const auto collect = DecodeCollect(body, &wait_ms); Decoded(collect)) {
    const std::string encoded = EncodeCollect(*collect, wait_ms);
    int64_t same_ms = 0;
    const auto again = DecodeCollect(encoded, &same_ms);
    Check(again.ok() && EncodeCollect(*again, same_ms) == encoded);
  }
  uint64_t incarnation = 0;
  if (const auto answers = DecodeBatchAnswers(body, &incarnation); Decoded(answers)) {
    const std::string encoded = EncodeBatchAnswers(*answers, incarnation);
    uint64_t same = 0;
    const auto again = DecodeBatchAnswers(encoded, &same);
    Check(again.ok() && again->size() == answers->size() && EncodeBatchAnswers(*again, same) == encoded);
  }
  return 0;
}

// Messages: the bodies that groupcache-go nodes exchange, and our own batch, as plain structs. Decoders take any bytes
// and answer a Status whose text is what a groupcache-go node would say. Only src/wire includes protobuf and JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cohort::wire {

struct GetResponse {
  std::string value;
  int64_t expire_unix_ns = 0;
};
// The same, of bytes that are somebody else's.
struct GetResponseView {
  std::string_view value;
  int64_t expire_unix_ns = 0;
};
// Always carries `expire`, 0 included, as upstream does.
std::string EncodeGetResponse(std::string_view value, int64_t expire_unix_ns);
Result<GetResponse> DecodeGetResponse(std::string_view body);
// The value points into `body`.
Result<GetResponseView> ViewGetResponse(std::string_view body);

struct SetRequest {
  std::string group;
  std::string key;
  std::string value;
  int64_t expire_unix_ns = 0;
};
std::string EncodeSetRequest(std::string_view group, std::string_view key, std::string_view value,
                             int64_t expire_unix_ns);
// Errors, word for word: "proto: required field pb.SetRequest.group not set" (and .key),
// "proto: cannot parse invalid wire-format data".
Result<SetRequest> DecodeSetRequest(std::string_view body);

// {"group":...,"keys":[...]}; keys must be valid UTF-8 (IsUtf8), others travel otherwise.
std::string EncodeRemoveKeys(std::string_view group, const std::vector<std::string>& keys);
// Accepts what Go's encoding/json accepts for that struct: {}, null, unknown fields, names in any case. Errors begin
// with "invalid request: "; for an early end the rest is "unexpected end of JSON input".
Result<std::vector<std::string>> DecodeRemoveKeys(std::string_view body);
bool IsUtf8(std::string_view text);

// Our own protocol: POST base + "_cohort/batch". One request, many entries; answers in the same order.
enum class BatchOp : int32_t { kGet = 1, kSet = 2, kRemove = 3 };
struct BatchEntry {
  BatchOp op = BatchOp::kGet;
  std::string group;
  std::string key;
  std::string value;       // kSet
  int64_t life_ms = -1;    // kSet: remaining life of the value, < 0 = never expires
  int64_t timeout_ms = 0;  // kGet: time left
};
// The same, of bytes that are somebody else's.
struct BatchEntryView {
  BatchOp op = BatchOp::kGet;
  std::string_view group;
  std::string_view key;
  std::string_view value;
  int64_t life_ms = -1;
  int64_t timeout_ms = 0;
};
// What an asker says of the answers that the owner still owes it. In each batch, and in POST base + "_cohort/collect".
struct Session {
  uint64_t id = 0;                 // 0: none
  std::vector<uint64_t> received;  // tickets whose answers have come
  std::vector<uint64_t> dropped;   // tickets that nobody waits for any more
};
struct BatchAnswer {
  Code code = Code::kOk;  // kOk, kNotFound, kRemoteFailed are final; anything else: the asker loads for itself
  std::string message;
  std::string value;
  int64_t life_ms = -1;  // remaining life, < 0 = never expires
  bool keep = true;      // false: hand it out, keep it nowhere
  uint64_t ticket = 0;   // of a batch: not yet, collect it; collected: whose answer this is
};
// The same, of bytes that are somebody else's.
struct BatchAnswerView {
  Code code = Code::kOk;
  std::string_view message;
  std::string_view value;
  int64_t life_ms = -1;
  bool keep = true;
  uint64_t ticket = 0;
};
inline BatchAnswer ToOwned(const BatchAnswerView& view) {
  return {view.code, std::string(view.message), std::string(view.value), view.life_ms, view.keep, view.ticket};
}
inline BatchAnswerView ToView(const BatchAnswer& answer) {
  return {answer.code, answer.message, answer.value, answer.life_ms, answer.keep, answer.ticket};
}
std::string EncodeBatch(const std::vector<BatchEntryView>& entries, const Session& session = {});
std::string EncodeBatch(const std::vector<BatchEntry>& entries, const Session& session = {});
// Views point into `body`.
Result<std::vector<BatchEntryView>> ViewBatch(std::string_view body, Session* session);
Result<std::vector<BatchEntry>> DecodeBatch(std::string_view body, Session* session = nullptr);
std::string EncodeCollect(const Session& session, int64_t wait_ms);
Result<Session> DecodeCollect(std::string_view body, int64_t* wait_ms);
// incarnation: of the session at the owner, 0 = none.
std::string EncodeBatchAnswers(const std::vector<BatchAnswerView>& answers, uint64_t incarnation);
std::string EncodeBatchAnswers(const std::vector<BatchAnswer>& answers, uint64_t incarnation = 0);
// Views point into `body`.
Result<std::vector<BatchAnswerView>> ViewBatchAnswers(std::string_view body, uint64_t* incarnation);
Result<std::vector<BatchAnswer>> DecodeBatchAnswers(std::string_view body, uint64_t* incarnation = nullptr);

}  // namespace cohort::wire

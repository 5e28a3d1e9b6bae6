#include "sim/asked.h"

#include <string_view>

#include "wire/messages.h"
#include "wire/path.h"

namespace cohort::sim {
namespace {

constexpr std::string_view kRemoveKeys = "_remove-keys/";

std::vector<Asked> ReadBatch(const std::string& body) {
  std::vector<Asked> all;
  const auto entries = wire::DecodeBatch(body);
  if (!entries.ok()) return all;
  for (const wire::BatchEntry& entry : *entries) {
    switch (entry.op) {
      case wire::BatchOp::kGet:
        all.push_back({Asked::Op::kGet, entry.key, ""});
        break;
      case wire::BatchOp::kSet:
        all.push_back({Asked::Op::kSet, entry.key, entry.value});
        break;
      case wire::BatchOp::kRemove:
        all.push_back({Asked::Op::kRemove, entry.key, ""});
        break;
    }
  }
  return all;
}

}  // namespace

std::vector<Asked> ReadAsked(const Request& request) {
  const wire::SplitPath path = wire::SplitTarget(kBasePath, request.target);
  if (path.kind == wire::PathKind::kExtension) {
    return path.key == "batch" ? ReadBatch(request.body) : std::vector<Asked>();
  }
  if (path.kind != wire::PathKind::kKey) return {};
  if (request.method == "GET") return {{Asked::Op::kGet, path.key, ""}};
  if (request.method == "DELETE") return {{Asked::Op::kRemove, path.key, ""}};
  if (request.method == "PUT") {
    const auto set = wire::DecodeSetRequest(request.body);
    if (!set.ok()) return {};
    return {{Asked::Op::kSet, set->key, set->value}};
  }
  std::vector<Asked> all;
  if (request.method == "POST" && path.key.compare(0, kRemoveKeys.size(), kRemoveKeys) == 0) {
    const auto keys = wire::DecodeRemoveKeys(request.body);
    if (!keys.ok()) return {};
    for (const std::string& key : *keys) all.push_back({Asked::Op::kRemove, key, ""});
  }
  return all;
}

std::vector<Said> ReadSaid(const Request& request, const Response& response) {
  if (response.status != 200) return {};
  const wire::SplitPath path = wire::SplitTarget(kBasePath, request.target);
  if (path.kind != wire::PathKind::kExtension) return {{0, false, response.body}};
  std::vector<Said> all;
  const auto answers = wire::DecodeBatchAnswers(response.body);
  if (!answers.ok()) return all;
  const bool of_batch = path.key == "batch";
  for (const wire::BatchAnswer& answer : *answers) {
    all.push_back({answer.ticket, of_batch && answer.ticket != 0, answer.value});
  }
  return all;
}

}  // namespace cohort::sim

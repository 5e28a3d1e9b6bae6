#include "behaviours/cpp/face.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace behaviours {

Answer Answer::Failed(cohort_status_t status, std::string message) {
  Answer answer;
  answer.error = cohort_status_name(status);
  std::transform(answer.error.begin(), answer.error.end(), answer.error.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  answer.message = std::move(message);
  return answer;
}

Answer Answer::Of(cohort_value_t* value, int32_t source) {
  static const char* const kSources[] = {"", "main", "hot", "peer", "load"};
  Answer answer;
  answer.held = std::shared_ptr<const void>(value, [](const void* handle) {
    cohort_value_free(const_cast<cohort_value_t*>(static_cast<const cohort_value_t*>(handle)));
  });
  answer.value = std::string_view(static_cast<const char*>(cohort_value_data(value)),
                                  static_cast<size_t>(cohort_value_size(value)));
  answer.expire_unix_ns = cohort_value_expire_unix_ns(value);
  answer.source = kSources[source];
  return answer;
}

}  // namespace behaviours

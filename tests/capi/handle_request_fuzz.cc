// cohort_instance_handle_request_async with any method, target, headers and body: one response with a status that the
// wire knows, or a refusal of one line and no response. The input is lines: method, target, header lines up to an empty
// one; the rest is the body.
#include <cohort/cohort.h>

#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

// The key's first letter says how its load ends.
void Load(void*, cohort_load_t* load, const char* key, size_t key_size) {
  const char first = key_size == 0 ? 'v' : key[0];
  if (first == 'm') {
    cohort_load_fail(load, COHORT_NOT_FOUND, key, key_size, 0);
  } else if (first == 'f') {
    cohort_load_fail(load, COHORT_LOAD_FAILED, key, key_size, 0);
  } else if (first == 'x') {
    cohort_load_free(load);
  } else {
    cohort_load_complete(load, key, key_size, first == 'e' ? 1 : 0, nullptr);
  }
}

// One member with a group; it is freed as the process ends.
class Member {
 public:
  Member() : instance_(cohort_instance_new(nullptr, nullptr)) {
    cohort_group_options_t* const options = cohort_group_options_new();
    cohort_group_options_set_getter(options, &Load, nullptr, nullptr, nullptr);
    cohort_group_options_set_cache_bytes(options, 1 << 20, nullptr);
    cohort_group_free(cohort_instance_new_group(instance_, "g", 1, options, nullptr));
    cohort_group_options_free(options);
  }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  ~Member() { cohort_instance_free(instance_); }
  cohort_instance_t* instance() const { return instance_; }

 private:
  cohort_instance_t* const instance_;
};

class Answers {
 public:
  static void Take(void* user, cohort_response_t* response) {
    cohort_response_view_t view;
    cohort_response_view(response, &view);
    const int64_t status = view.http_status;
    Check(status == 200 || status == 307 || status == 400 || status == 404 || status == 405 || status == 500 ||
          status == 503);
    const std::string_view headers(view.headers, static_cast<size_t>(view.headers_size));
    Check(headers.find("Cohort: ") != std::string_view::npos && headers.substr(headers.size() - 2) == "\r\n");
    Check(view.body != nullptr || view.body_size == 0);
    cohort_response_free(response);
    auto* const self = static_cast<Answers*>(user);
    const std::lock_guard<std::mutex> lock(self->mutex_);
    ++self->count_;
    self->came_.notify_all();
  }
  void AwaitOne() {
    std::unique_lock<std::mutex> lock(mutex_);
    came_.wait(lock, [this] { return count_ > 0; });
    Check(count_ == 1);
  }
  bool none() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return count_ == 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  int count_ = 0;
};

std::string_view TakeUntil(std::string_view mark, std::string_view* text) {
  const size_t end = text->find(mark);
  const std::string_view taken = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + mark.size());
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view method = TakeUntil("\n", &text);
  const std::string_view target = TakeUntil("\n", &text);
  std::string_view headers;
  if (!text.empty() && text.front() == '\n') {
    text.remove_prefix(1);
  } else {
    headers = TakeUntil("\n\n", &text);
  }
  static const Member member;
  static cohort_error_t* const error = cohort_error_new();
  Answers answers;
  const cohort_status_t status = cohort_instance_handle_request_async(
      member.instance(), method.data(), method.size(), target.data(), target.size(), headers.data(), headers.size(),
      text.data(), text.size(), 10'000, &Answers::Take, &answers, error);
  Check(cohort_error_status(error) == status);
  if (status == COHORT_OK) {
    answers.AwaitOne();
  } else {
    Check(answers.none());
    Check(status == COHORT_INVALID_ARGUMENT || status == COHORT_TOO_LARGE);
    const std::string_view message = cohort_error_message(error);
    Check(!message.empty() && message.find('\n') == std::string_view::npos);
  }
  return 0;
}

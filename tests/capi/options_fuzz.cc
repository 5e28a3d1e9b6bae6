// Any setter with any argument sets, or refuses with one line that names what is wrong; user pointers are destroyed
// once either way, and whatever was accepted makes an instance and a group, or says why not. The input is a list of
// calls.
#include <cohort/cohort.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

// Reads the input as numbers and strings; when it has run out all are zero and empty.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), left_(size) {}
  bool empty() const { return left_ == 0; }
  uint8_t Byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  // Small numbers often, any number at times.
  int64_t Number() {
    const uint8_t kind = Byte();
    if (kind < 192) return static_cast<int64_t>(kind % 64) - 4;
    uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | Byte();
    return static_cast<int64_t>(number);
  }
  int32_t Number32() { return static_cast<int32_t>(Number()); }
  std::string String() {
    size_t size = Byte();
    if (size == 255) return std::string(size_t{5'000} + Byte() * size_t{300}, 'x');  // Beyond some limit.
    size = size < left_ ? size : left_;
    std::string text(reinterpret_cast<const char*>(data_), size);
    data_ += size;
    left_ -= size;
    return text;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

int handed = 0;     // User pointers given to the library,
int destroyed = 0;  // and destroyed by it.
void Destroy(void*) { __atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST); }

void Load(void*, cohort_load_t* load, const char*, size_t) { cohort_load_complete(load, "v", 1, 0, nullptr); }
void Evicted(void*, int32_t, int32_t, const char*, size_t, const cohort_value_t*) {}
cohort_value_t* CacheGet(void*, const char*, size_t) { return nullptr; }
void CacheAdd(void*, const char*, size_t, const cohort_value_t*) {}
void CacheRemove(void*, const char*, size_t) {}
uint64_t Hash(void*, const void*, size_t size) { return size; }
void Log(void*, int32_t, const char*, size_t) {}
void Send(void*, cohort_request_t* request) { cohort_request_free(request); }

cohort_error_t* error = nullptr;

void ExpectMessage(cohort_status_t status) {
  Check(cohort_error_status(error) == status);
  const std::string message(cohort_error_message(error), static_cast<size_t>(cohort_error_message_size(error)));
  Check(message.empty() == (status == COHORT_OK));
  Check(std::strcmp(cohort_status_name(status), "UNKNOWN") != 0 && status != COHORT_INTERNAL);
}
// A setter refuses in one line. (One that quotes what it was given may quote a line feed.)
void Setter(cohort_status_t status) {
  ExpectMessage(status);
  Check(status == COHORT_OK || status == COHORT_INVALID_ARGUMENT || status == COHORT_TOO_LARGE);
}

// A pointer that is NULL at times.
template <typename T>
T* Maybe(T* pointer, Input* input) {
  return input->Byte() == 0xFF ? nullptr : pointer;
}

struct Handles {
  cohort_queue_t* queue = cohort_queue_new(nullptr);
  cohort_instance_options_t* instance = cohort_instance_options_new();
  cohort_group_options_t* group = cohort_group_options_new();
  cohort_transport_t* transport = cohort_transport_new_http(nullptr);
  ~Handles() {
    cohort_transport_free(transport);
    cohort_group_options_free(group);
    cohort_instance_options_free(instance);
    cohort_queue_free(queue);
  }
};

void CallOne(Handles* h, Input* input) {
  const uint8_t call = input->Byte() % 22;
  auto* const instance = Maybe(h->instance, input);
  auto* const group = Maybe(h->group, input);
  const auto user = [] {
    ++handed;
    return static_cast<void*>(&handed);
  };
  switch (call) {
    case 0: {
      const std::string name = input->String();
      return Setter(cohort_instance_options_set_name(instance, name.data(), name.size(), error));
    }
    case 1:
      return Setter(cohort_instance_options_set_ring(instance, input->Number32(), error));
    case 2:
      return Setter(cohort_instance_options_set_replicas(instance, input->Number32(), error));
    case 3:
      return Setter(cohort_instance_options_set_hash(instance, Maybe(&Hash, input), &Destroy, user(), error));
    case 4:
      return Setter(cohort_instance_options_set_transport(instance, Maybe(h->transport, input), error));
    case 5: {
      const std::string path = input->String();
      return Setter(cohort_instance_options_set_base_path(instance, path.data(), path.size(), error));
    }
    case 6:
      return Setter(
          cohort_instance_options_set_logger(instance, input->Number32(), Maybe(&Log, input), &Destroy, user(), error));
    case 7:
      return Setter(cohort_instance_options_set_log_queue(instance, input->Number32(), Maybe(h->queue, input),
                                                          input->Byte(), error));
    case 8:
      return Setter(cohort_instance_options_set_max_getter_threads(instance, input->Number32(), error));
    case 9:
      return Setter(cohort_group_options_set_cache_bytes(group, input->Number(), error));
    case 10:
      return Setter(cohort_group_options_set_max_entries(group, input->Number(), error));
    case 11:
      return Setter(cohort_group_options_set_policy(group, input->Number32(), error));
    case 12:
      return Setter(cohort_group_options_set_load_timeout_ms(group, input->Number(), error));
    case 13:
      return Setter(cohort_group_options_set_getter(group, Maybe(&Load, input), &Destroy, user(), error));
    case 14:
      return Setter(cohort_group_options_set_getter_queue(group, Maybe(h->queue, input), input->Byte(), error));
    case 15:
      return Setter(cohort_group_options_set_eviction_listener(group, Maybe(&Evicted, input), &Destroy, user(), error));
    case 16:
      return Setter(cohort_group_options_set_cache(group, input->Number32(), Maybe(&CacheGet, input),
                                                   Maybe(&CacheAdd, input), Maybe(&CacheRemove, input), &Destroy,
                                                   user(), error));
    case 17: {
      const int32_t limit = input->Number32();
      return Setter(cohort_transport_set_limit(Maybe(h->transport, input), limit, input->Number(), error));
    }
    case 18: {
      const std::string ca = input->String();
      const std::string cert = input->String();
      const std::string key = input->String();
      return Setter(cohort_transport_set_tls(Maybe(h->transport, input), ca.data(), ca.size(), cert.data(), cert.size(),
                                             key.data(), key.size(), input->Byte() & 1, error));
    }
    default:
      break;
  }
  // Other transports, which take the place of the one before.
  cohort_transport_t* transport = nullptr;
  if (call == 19) transport = cohort_transport_new_inproc(error);
  if (call == 20) {
    const int32_t mode = input->Number32();
    transport = cohort_transport_new_custom(mode, Maybe(&Send, input), &Destroy, user(), error);
  }
  if (call == 21) {
    const int32_t mode = input->Number32();
    transport = cohort_transport_new_queue(mode, Maybe(h->queue, input), input->Byte(), error);
  }
  ExpectMessage(cohort_error_status(error));
  Check((transport != nullptr) == (cohort_error_status(error) == COHORT_OK));
  if (transport == nullptr) return;
  cohort_transport_free(h->transport);
  h->transport = transport;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (error == nullptr) error = cohort_error_new();
  Input input(data, size);
  handed = destroyed = 0;
  {
    Handles handles;
    const std::string peers = input.String();
    const std::string name = input.String();
    for (int i = 0; i < 32 && !input.empty(); ++i) CallOne(&handles, &input);

    cohort_instance_t* const instance = cohort_instance_new(handles.instance, error);
    ExpectMessage(cohort_error_status(error));
    // All that may be wrong by now are files that cannot be read.
    Check(instance != nullptr || cohort_error_status(error) == COHORT_IO);
    if (instance != nullptr) {
      ExpectMessage(cohort_instance_set_peers(instance, peers.data(), peers.size(), "self:1", 6, error));
      cohort_group_t* const group = cohort_instance_new_group(instance, name.data(), name.size(), handles.group, error);
      ExpectMessage(cohort_error_status(error));
      Check((group != nullptr) == (cohort_error_status(error) == COHORT_OK));
      cohort_group_free(group);
      cohort_instance_free(instance);
    }
  }
  Check(handed == destroyed);
  return 0;
}

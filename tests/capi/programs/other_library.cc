// A library of somebody else's, on protobuf's full runtime, with messages named as groupcache's and as ours.
#include <google/protobuf/descriptor.h>

#include <string>

#include "other.pb.h"
#include "same_names.pb.h"

extern "C" __attribute__((visibility("default"))) int other_library_works() {
  pb::GetResponse response;
  response.set_value("value");
  response.set_expire(7);
  pb::GetResponse parsed;
  if (!parsed.ParseFromString(response.SerializeAsString()) || parsed.value() != "value" || parsed.expire() != 7)
    return 0;
  if (parsed.GetDescriptor()->full_name() != "pb.GetResponse") return 0;

  cohort::wire::ValueReply reply;
  reply.set_text("text");
  for (int i = 0; i < 100; ++i) reply.add_numbers(i);
  cohort::wire::ValueReply again;
  if (!again.ParseFromString(reply.SerializeAsString()) || again.numbers_size() != 100) return 0;
  cohort::wire::Batch batch;
  batch.add_entries()->set_text("entry");
  return batch.GetDescriptor()->full_name() == "cohort.wire.Batch" &&
                 batch.DebugString().find("entry") != std::string::npos
             ? 1
             : 0;
}

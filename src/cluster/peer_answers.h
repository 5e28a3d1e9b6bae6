// PeerAnswers turns what a peer said to a get, in groupcache's words or in ours, into the end of that get.
#pragma once

#include <cstdint>
#include <string_view>

#include "cluster/peer.h"
#include "cluster/peer_line.h"
#include "wire/messages.h"

namespace cohort {

PeerAnswer FailedAnswer(Status status);
// sent_unix_ns: when the request was sent, by this node's clock.
PeerAnswer ReadPlainAnswer(const PeerLine& line, std::string_view key, const Response& response, int64_t sent_unix_ns);
// now: when the answers came, of which this is one.
struct HeardAt {
  explicit HeardAt(const Clock& clock) : ns(clock.MonotonicNs()), unix_ns(clock.UnixNs()) {}
  int64_t ns;
  int64_t unix_ns;
};
PeerAnswer ReadBatchAnswer(const PeerLine& line, std::string_view key, const wire::BatchAnswerView& answer,
                           const HeardAt& now);
// Of a batch of one.
PeerAnswer ReadOnlyAnswer(const PeerLine& line, std::string_view key, const Response& response);

}  // namespace cohort

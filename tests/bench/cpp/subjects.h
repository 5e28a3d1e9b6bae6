// The subjects of this program: each sets up what its flags say and serves questions about it.
#ifndef COHORT_BENCH_SUBJECTS_H
#define COHORT_BENCH_SUBJECTS_H

#include "session.h"

namespace bench {

void ServeHits(const Flags& flags);
void ServeFill(const Flags& flags);
void ServeOwner(const Flags& flags);
void ServeAsker(const Flags& flags);
void ServeCacheServer(const Flags& flags);
void ServeNode(const Flags& flags);
void ServeWaiting(const Flags& flags);
void ServeChanges(const Flags& flags);
void ServeRing(const Flags& flags);

}  // namespace bench

#endif

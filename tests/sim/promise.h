// Promise numbers what the model checks, as the architecture does.
#pragma once

namespace cohort::sim {

enum class Promise {
  kP1,      // One flight per key, generation and node; one load in a calm cluster.
  kP2,      // An overtaken load fills nothing, and nobody joins it.
  kP3,      // A request of a peer is never forwarded.
  kP4,      // Every completion exactly once; every load has a longest time.
  kP5,      // Never more than the bytes that were given.
  kP6,      // A wait ends by its deadline; one caller's cancelling is his own.
  kP7,      // After a Remove or Set that returned OK nobody answers the old value.
  kP9,      // No get fails because of the peers.
  kExpiry,  // No cache answers what has expired.
};

constexpr const char* NameOf(Promise promise) {
  switch (promise) {
    case Promise::kP1:
      return "P1";
    case Promise::kP2:
      return "P2";
    case Promise::kP3:
      return "P3";
    case Promise::kP4:
      return "P4";
    case Promise::kP5:
      return "P5";
    case Promise::kP6:
      return "P6";
    case Promise::kP7:
      return "P7";
    case Promise::kP9:
      return "P9";
    case Promise::kExpiry:
      return "expiry";
  }
  return "?";
}

}  // namespace cohort::sim

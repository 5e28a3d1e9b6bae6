// InprocNetwork is a network inside one process: what one member sends, another's handler gets, with no socket between.
#pragma once

#include <memory>

#include "runtime/runtime.h"
#include "transport/transport.h"

namespace cohort {

class InprocNetwork {
 public:
  virtual ~InprocNetwork() = default;
  static std::shared_ptr<InprocNetwork> New();

  // A member's way into the network. Its handlers and completions run on that runtime's executor; it must outlive the
  // channels and listeners, which keep the network alive.
  virtual std::shared_ptr<Transport> Attach(Runtime& runtime) = 0;
};

}  // namespace cohort

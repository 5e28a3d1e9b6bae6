// ExitGate keeps our threads out of libraries that exit() has torn down. A host may end its process without closing us;
// the static objects of cpp-httplib and OpenSSL are destroyed then while our threads may be using them.
//
//   1. A thread enters the gate, works with a static table of such a library, and leaves.
//   2. exit() runs our handler first, since it was registered after those tables were made. The handler closes the gate
//      and waits for who is inside; a thread that wants to enter is told no, and fails its request instead.
//
// Nobody waits for the network, for a handler or for a callback inside the gate.
#pragma once

namespace cohort {

class ExitGate {
 public:
  // Registers the handler, once in a process, after `warm_up` has made the libraries' tables.
  static void Install(void (*warm_up)());
  // False once the process is exiting. A thread that is inside stays inside.
  static bool Enter();
  // Nothing when not inside.
  static void Leave();
};

// Inside while it lives, if it could enter.
class InsideGate {
 public:
  InsideGate() : entered_(ExitGate::Enter()) {}
  ~InsideGate() { ExitGate::Leave(); }
  InsideGate(const InsideGate&) = delete;
  InsideGate& operator=(const InsideGate&) = delete;
  bool entered() const { return entered_; }

 private:
  const bool entered_;
};

}  // namespace cohort

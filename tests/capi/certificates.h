// The certificates of the tests: made when the tests are built, by the openssl program if there is one.
#pragma once

#include <fstream>
#include <string>

namespace capi_test {

class Certificates {
 public:
  static std::string File(const std::string& name) {
    return std::string(COHORT_BINARY_DIR "/tests/capi/certificates/") + name;
  }
  static bool There() { return std::ifstream(File("member2.pem")).good(); }
};

}  // namespace capi_test

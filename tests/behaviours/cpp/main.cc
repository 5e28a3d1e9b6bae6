// One test for each case of cases.json and each face; and for each case of must_fail.json one that proves that it
// fails.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>

#include "behaviours/cpp/runner.h"

namespace behaviours {
namespace {

using nlohmann::json;

json CasesOf(const std::string& file) {
  std::ifstream in(std::string(COHORT_SOURCE_DIR) + "/tests/behaviours/" + file);
  return json::parse(in).at("cases");
}

class Case : public ::testing::Test {
 public:
  Case(Face face, json a_case) : face_(std::move(face)), case_(std::move(a_case)) {}
  void TestBody() override {
    if (const auto reason = Skipped(face_, case_)) {
      std::cout << "skipped: " << case_["name"].get<std::string>() << ": " << *reason << "\n";
      GTEST_SKIP() << *reason;
    }
    const auto failure = RunCase(face_, case_, std::chrono::seconds(60));
    EXPECT_FALSE(failure.has_value()) << failure->what;
  }

 private:
  const Face face_;
  const json case_;
};

// A wrong expectation has to be found, at its step.
class WrongCase : public ::testing::Test {
 public:
  WrongCase(Face face, json a_case) : face_(std::move(face)), case_(std::move(a_case)) {}
  void TestBody() override {
    const auto failure = RunCase(face_, case_, std::chrono::milliseconds(500));
    ASSERT_TRUE(failure.has_value()) << "nothing was found";
    EXPECT_EQ(failure->step, case_["fails_at"].get<size_t>()) << failure->what;
    EXPECT_NE(failure->what.find(case_["name"].get<std::string>()), std::string::npos) << failure->what;
  }

 private:
  const Face face_;
  const json case_;
};

template <typename Test>
void Register(const Face& face, const std::string& file, const std::string& suffix) {
  for (const json& each : CasesOf(file)) {
    if (face.peers_only && each.value("nodes", 1) == 1) continue;
    ::testing::RegisterTest(("Behaviours" + suffix + face.name).c_str(), each["name"].get<std::string>().c_str(),
                            nullptr, nullptr, __FILE__, __LINE__,
                            [=]() -> ::testing::Test* { return new Test(face, each); });
  }
}

}  // namespace
}  // namespace behaviours

// An exception that a future hands on is counted inside of libstdc++, where the thread sanitizer does not look: it
// takes the last owner's freeing for a race with the other thread's reading.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::runtime_error::~runtime_error\nrace:std::__exception_ptr::exception_ptr::_M_release\n";
}

int main(int argc, char** argv) {
  using namespace behaviours;
  ::testing::InitGoogleTest(&argc, argv);
  std::vector<Face> faces = CppFaces();
  faces.push_back(CallbackFace());
  faces.push_back(QueueFace());
  for (const Face& face : faces) {
    Register<Case>(face, "cases.json", "");
    Register<WrongCase>(face, "must_fail.json", "MustFail");
  }
  return RUN_ALL_TESTS();
}

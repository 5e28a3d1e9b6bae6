// The C++ side of the benchmarks. Its first argument names a subject; the others are flags. Each subject's own file
// says what it can be asked.
#include <map>

#include "session.h"
#include "subjects.h"

int main(int argc, char** argv) {
  const std::map<std::string, void (*)(const bench::Flags&)> subjects = {
      {"hits", bench::ServeHits},       {"fill", bench::ServeFill},          {"owner", bench::ServeOwner},
      {"asker", bench::ServeAsker},     {"server", bench::ServeCacheServer}, {"node", bench::ServeNode},
      {"waiting", bench::ServeWaiting}, {"changes", bench::ServeChanges},    {"ring", bench::ServeRing},
  };
  const auto subject = subjects.find(argc > 1 ? argv[1] : "");
  if (subject == subjects.end()) {
    std::string names;
    for (const auto& [name, serve] : subjects) names += " " + name;
    bench::Die("usage: bench-cpp SUBJECT [-flag value]...; the subjects are" + names);
  }
  subject->second(bench::Flags(argc, argv, 2));
}

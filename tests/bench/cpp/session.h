// A session is how each program of the benchmarks is used: it sets up what its flags say, prints a line of JSON when it
// is ready, and then answers each line of its input with a line of JSON, until its input ends.
#ifndef COHORT_BENCH_SESSION_H
#define COHORT_BENCH_SESSION_H

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace bench {

// The flags of the command line: "-name value" pairs.
class Flags {
 public:
  Flags(int argc, char** argv, int first);
  const std::string& Text(const std::string& name) const;  // Ends the program when it is missing.
  std::string Text(const std::string& name, const std::string& otherwise) const;
  int64_t Number(const std::string& name, int64_t otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

// One line of JSON with numbers only.
class Json {
 public:
  Json& Add(const std::string& name, double value);
  const std::string& Text() const { return text_; }

 private:
  std::string text_;
};

// What a question says: its words, split at spaces.
class Words {
 public:
  explicit Words(const std::string& line);
  const std::string& operator[](size_t i) const;  // Ends the program when there are fewer.
  int Int(size_t i) const;
  double Double(size_t i) const;

 private:
  std::vector<std::string> words_;
};

// Ends the program with one line that says why.
[[noreturn]] void Die(const std::string& message);

// Says that the subject is ready and answers questions until the input ends. Then the program is over: nothing of it is
// taken down in order, so that ending costs no time.
[[noreturn]] void Serve(const Json& ready, const std::function<Json(const Words&)>& answer);

}  // namespace bench

#endif

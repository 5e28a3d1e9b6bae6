#include "sim/trace.h"

#include <cstdio>

namespace cohort::sim {

void Trace::Add(const TraceLine& line) {
  ++lines_;
  Mix(static_cast<uint64_t>(line.at_ns));
  Mix(static_cast<uint64_t>(line.node));
  for (const char* letter = line.what; *letter != 0; ++letter) Mix(static_cast<unsigned char>(*letter));
  Mix(static_cast<uint64_t>(line.key));
  Mix(static_cast<uint64_t>(line.a));
  Mix(static_cast<uint64_t>(line.b));
  last_.push_back(line);
  if (last_.size() > kept_) last_.pop_front();
}

std::string Trace::Text() const {
  std::string text;
  if (lines_ > static_cast<int64_t>(last_.size())) {
    text += "  ... " + std::to_string(lines_ - static_cast<int64_t>(last_.size())) + " lines before these\n";
  }
  for (const TraceLine& line : last_) {
    char row[160];
    std::snprintf(row, sizeof row, "%12.6f s  ", static_cast<double>(line.at_ns) / 1e9);
    text += row;
    std::snprintf(row, sizeof row, line.node == kNobody ? "       " : "node %-2d", line.node);
    text += row;
    std::snprintf(row, sizeof row, "  %-26s", line.what);
    text += row;
    if (line.key != kNoKey) text += " key " + std::to_string(line.key);
    if (line.a != 0) text += " #" + std::to_string(line.a);
    if (line.b != 0) text += " (" + std::to_string(line.b) + ")";
    text += "\n";
  }
  return text;
}

}  // namespace cohort::sim

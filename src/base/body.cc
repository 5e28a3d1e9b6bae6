#include "base/body.h"

#include <algorithm>

namespace cohort {

void Body::Lend(std::string_view bytes, Hold hold) {
  if (bytes.empty()) return;
  lent_.push_back({own_.size(), bytes, std::move(hold)});
  lent_bytes_ += bytes.size();
}

size_t Body::Pieces(std::string_view* pieces, size_t most) const {
  size_t count = 0;
  size_t at = own_read_;
  size_t first = first_read_;
  for (size_t next = lent_read_; count < most; ++next, first = 0) {
    const size_t end = next < lent_.size() ? lent_[next].at : own_.size();
    if (at < end) pieces[count++] = {own_.data() + at, end - at};
    at = end;
    if (next == lent_.size()) break;
    if (count < most) pieces[count++] = lent_[next].bytes.substr(first);
  }
  return count;
}

void Body::Skip(size_t bytes) {
  while (bytes > 0) {
    const size_t end = lent_read_ < lent_.size() ? lent_[lent_read_].at : own_.size();
    if (own_read_ < end) {
      const size_t count = std::min(bytes, end - own_read_);
      own_read_ += count;
      bytes -= count;
      continue;
    }
    const size_t left = lent_[lent_read_].bytes.size() - first_read_;
    const size_t count = std::min(bytes, left);
    bytes -= count;
    first_read_ += count;
    if (count == left) {
      ++lent_read_;
      first_read_ = 0;
    }
  }
}

std::string Body::Whole() && {
  if (lent_.empty() && own_read_ == 0) return std::move(own_);
  std::string whole;
  whole.reserve(size());
  std::string_view piece;
  while (Pieces(&piece, 1) == 1) {
    whole.append(piece);
    Skip(piece.size());
  }
  return whole;
}

}  // namespace cohort

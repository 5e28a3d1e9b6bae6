// Body is what an answer carries: bytes of its own and, in between, bytes that lie elsewhere and are held until they
// have been sent. So what is large is written from where it lies, and never copied.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort {

// Keeps something alive until it goes: `let_go(object)` runs once, if there is one.
class Hold {
 public:
  Hold() = default;
  Hold(void* object, void (*let_go)(void* object)) : object_(object), let_go_(let_go) {}
  Hold(Hold&& other) noexcept : object_(other.object_), let_go_(std::exchange(other.let_go_, nullptr)) {}
  Hold& operator=(Hold&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(let_go_, other.let_go_);
    return *this;
  }
  ~Hold() {
    if (let_go_ != nullptr) let_go_(object_);
  }

 private:
  void* object_ = nullptr;
  void (*let_go_)(void* object) = nullptr;
};

class Body {
 public:
  Body() = default;
  Body(std::string own) : own_(std::move(own)) {}  // NOLINT(google-explicit-constructor)

  size_t size() const { return own_.size() + lent_bytes_; }
  bool empty() const { return size() == 0; }

  // What is appended to it comes next. Nothing else of it may change.
  std::string& own() { return own_; }
  // These bytes come next. They stay where they are, and as they are, while `hold` is there.
  void Lend(std::string_view bytes, Hold hold);

  // Makes room for so many that are lent.
  void ReserveLent(size_t count) { lent_.reserve(count); }

  // ---- reading it, from its beginning
  // The next of its pieces, at most `most` of them and none empty; returns how many. None: all has been read.
  size_t Pieces(std::string_view* pieces, size_t most) const;
  // So many bytes of them have been read. What is lent stays held all the same, as long as the body is there.
  // REQUIRES: there are as many.
  void Skip(size_t bytes);

  // All that has not been read, as one string, copied unless nothing is lent.
  std::string Whole() &&;

 private:
  struct Lent {
    size_t at;  // Behind so many bytes of own_.
    std::string_view bytes;
    Hold hold;
  };

  std::string own_;
  std::vector<Lent> lent_;
  size_t lent_bytes_ = 0;
  // What has been read: of own_, of lent_, and of the first that is left of these.
  size_t own_read_ = 0;
  size_t lent_read_ = 0;
  size_t first_read_ = 0;
};

}  // namespace cohort

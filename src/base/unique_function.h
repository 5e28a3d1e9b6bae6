// UniqueFunction is std::function for callables that can only be moved: completions that own what they complete.
// (C++23 calls it std::move_only_function.) A small one needs no memory of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace cohort {

template <typename Signature>
class UniqueFunction;

template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  template <typename F, typename = std::enable_if_t<!std::is_same_v<std::decay_t<F>, UniqueFunction>>>
  UniqueFunction(F&& f) {  // NOLINT(google-explicit-constructor)
    using Callable = std::decay_t<F>;
    if constexpr (kFits<Callable>) {
      new (room_) Callable(std::forward<F>(f));
      ways_ = &kInside<Callable>;
    } else {
      new (room_) Callable*(std::make_unique<Callable>(std::forward<F>(f)).release());
      ways_ = &kOutside<Callable>;
    }
  }
  UniqueFunction(UniqueFunction&& other) noexcept { TakeOver(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this == &other) return *this;
    // What goes may own the other, or be asked for by what it destroys.
    UniqueFunction before(std::move(*this));
    TakeOver(other);
    return *this;
  }
  UniqueFunction(const UniqueFunction&) = delete;
  UniqueFunction& operator=(const UniqueFunction&) = delete;
  ~UniqueFunction() {
    if (ways_ != nullptr) ways_->destroy(room_);
  }

  explicit operator bool() const { return ways_ != nullptr; }
  // REQUIRES: not empty.
  R operator()(Args... args) { return ways_->call(room_, std::forward<Args>(args)...); }

 private:
  struct Ways {
    R (*call)(void* room, Args... args);
    void (*move)(void* from, void* to);  // Leaves nothing behind.
    void (*destroy)(void* room);
  };
  static constexpr size_t kRoomBytes = 3 * sizeof(void*);
  template <typename F>
  // NOLINTNEXTLINE(misc-redundant-expression): it is for some.
  static constexpr bool kFits = sizeof(F) <= kRoomBytes &&
                                alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

  template <typename F>
  static F& Inside(void* room) {
    return *std::launder(static_cast<F*>(room));
  }
  template <typename F>
  static constexpr Ways kInside = {
      [](void* room, Args... args) -> R { return Inside<F>(room)(std::forward<Args>(args)...); },
      [](void* from, void* to) {
        new (to) F(std::move(Inside<F>(from)));
        Inside<F>(from).~F();
      },
      [](void* room) { Inside<F>(room).~F(); },
  };
  template <typename F>
  static constexpr Ways kOutside = {
      [](void* room, Args... args) -> R { return (*Inside<F*>(room))(std::forward<Args>(args)...); },
      [](void* from, void* to) { new (to) F*(Inside<F*>(from)); },
      [](void* room) { delete Inside<F*>(room); },
  };

  void TakeOver(UniqueFunction& other) noexcept {
    ways_ = std::exchange(other.ways_, nullptr);
    if (ways_ != nullptr) ways_->move(other.room_, room_);
  }

  const Ways* ways_ = nullptr;
  alignas(void*) unsigned char room_[kRoomBytes];
};

using Task = UniqueFunction<void()>;

}  // namespace cohort

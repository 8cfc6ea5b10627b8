/// Scratch memory of kernels: aligned blocks that one call leaves for the next.
#pragma once

#include <cstddef>
#include <cstdint>

namespace statespace {

/// A block of at least `count` floats, 64-byte aligned, uninitialised (NaN in builds with
/// STATESPACE_POISON_SCRATCH). `data()` is null when there is no memory; a count of 0 always succeeds.
class Scratch {
 public:
  explicit Scratch(int64_t count) noexcept;
  ~Scratch() noexcept;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  bool ok() const noexcept;
  float* data() const noexcept;

 private:
  struct Block* block_;
};

}  // namespace statespace

/// Positions in the order of their keys; equal keys keep their order.
#pragma once

#include "device_memory.h"

namespace statespace::cuda {

/// A sort by the digits of the keys, lowest first. No atomics: the same keys always take the same way.
class StableSort {
 public:
  /// `keys` below `key_bound`; other keys are put somewhere.
  Status queue(const int32_t* keys, int64_t count, int64_t key_bound) noexcept;
  /// (count); valid while this object lives.
  const int32_t* positions() const noexcept { return positions_; }

 private:
  DeviceScratch memory_;
  const int32_t* positions_ = nullptr;
};

}  // namespace statespace::cuda

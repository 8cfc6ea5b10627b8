/// Views of one shape, brought to as few axes as they need. Host code of every backend.
#pragma once

#include <cstdint>

#include "statespace/strided.h"

namespace statespace {

/// Whether rank and sizes are within bounds.
bool valid_shape(const Shape& shape) noexcept;

int64_t element_count(const Shape& shape) noexcept;

/// Row-major strides.
Strides contiguous_strides(const Shape& shape) noexcept;

/// A shape whose axes of size 1 are gone and whose neighbouring axes are one wherever all operands allow it.
template <int kOperands>
struct Walk {
  int32_t rank = 0;
  int64_t count = 1;
  int64_t size[kMaxRank] = {};
  int64_t step[kMaxRank][kOperands] = {};

  // Always inlined: files of different instruction sets must not share a copy.
  /// Length of the innermost runs.
  __attribute__((always_inline)) int64_t inner() const { return rank == 0 ? 1 : size[rank - 1]; }
  __attribute__((always_inline)) int64_t inner_step(int operand) const {
    return rank == 0 ? 1 : step[rank - 1][operand];
  }
};

/// Defined for up to three operands.
template <int kOperands>
Walk<kOperands> collapse(const Shape& shape, const Strides* const (&strides)[kOperands]) noexcept;

}  // namespace statespace

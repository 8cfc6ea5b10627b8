/// Shapes and strides of arguments that may be views.
#pragma once

#include <cstdint>

namespace statespace {

inline constexpr int32_t kMaxRank = 8;

/// Sizes of the axes, outermost first; rank 0 is a scalar.
struct Shape {
  int32_t rank = 0;
  int64_t size[kMaxRank] = {};
};

/// Elements between neighbours along each axis of the shape it goes with; 0 repeats, negative is allowed.
struct Strides {
  int64_t step[kMaxRank] = {};
};

}  // namespace statespace

#include "strided_shape.h"

namespace statespace {

bool valid_shape(const Shape& shape) noexcept {
  if (shape.rank < 0 || shape.rank > kMaxRank) return false;
  for (int32_t axis = 0; axis < shape.rank; ++axis) {
    if (shape.size[axis] < 0) return false;
  }
  return true;
}

int64_t element_count(const Shape& shape) noexcept {
  int64_t count = 1;
  for (int32_t axis = 0; axis < shape.rank; ++axis) count *= shape.size[axis];
  return count;
}

Strides contiguous_strides(const Shape& shape) noexcept {
  Strides strides;
  int64_t step = 1;
  for (int32_t axis = shape.rank - 1; axis >= 0; --axis) {
    strides.step[axis] = step;
    step *= shape.size[axis];
  }
  return strides;
}

template <int kOperands>
Walk<kOperands> collapse(const Shape& shape, const Strides* const (&strides)[kOperands]) noexcept {
  Walk<kOperands> walk;
  for (int32_t axis = 0; axis < shape.rank; ++axis) {
    walk.count *= shape.size[axis];
    if (shape.size[axis] == 1) continue;
    bool joins = walk.rank > 0;
    for (int i = 0; joins && i < kOperands; ++i) {
      joins = walk.step[walk.rank - 1][i] == strides[i]->step[axis] * shape.size[axis];
    }
    if (!joins) {
      walk.size[walk.rank++] = shape.size[axis];
    } else {
      walk.size[walk.rank - 1] *= shape.size[axis];
    }
    for (int i = 0; i < kOperands; ++i) walk.step[walk.rank - 1][i] = strides[i]->step[axis];
  }
  return walk;
}

template Walk<1> collapse(const Shape&, const Strides* const (&)[1]) noexcept;
template Walk<2> collapse(const Shape&, const Strides* const (&)[2]) noexcept;
template Walk<3> collapse(const Shape&, const Strides* const (&)[3]) noexcept;

}  // namespace statespace

/// Random strided views for tests, with their elements as doubles in row-major order.
#pragma once

#include "check.h"
#include "statespace/strided.h"

namespace statespace::test {

struct View {
  std::vector<float> memory;
  int64_t offset = 0;
  Strides strides;

  const float* data() const { return memory.data() + offset; }
};

inline int64_t count_of(const Shape& shape) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < shape.rank; ++axis) count *= shape.size[axis];
  return count;
}

inline Shape shape_of(std::initializer_list<int64_t> sizes) {
  Shape shape;
  for (const int64_t size : sizes) shape.size[shape.rank++] = size;
  return shape;
}

/// Row-major strides.
inline Strides unit_strides(const Shape& shape) {
  Strides strides;
  int64_t step = 1;
  for (int32_t axis = shape.rank - 1; axis >= 0; --axis) {
    strides.step[axis] = step;
    step *= shape.size[axis];
  }
  return strides;
}

/// Offset of element `index` (row-major) of a view.
inline int64_t offset_of(const Shape& shape, const Strides& strides, int64_t index) {
  int64_t offset = 0;
  for (int32_t axis = shape.rank - 1; axis >= 0; --axis) {
    offset += index % shape.size[axis] * strides.step[axis];
    index /= shape.size[axis];
  }
  return offset;
}

/// How the axes of a random view lie in memory.
enum class Layout { kContiguous, kPermuted, kBroadcast, kReversed };

/// A view of `shape`: row-major, with its axes stored in reverse order, with every second axis repeated, or with
/// negative steps.
inline View random_view(Random& random, const Shape& shape, Layout layout, float low = -1, float high = 1) {
  View view;
  int64_t step = 1;
  for (int32_t i = 0; i < shape.rank; ++i) {
    const int32_t axis = layout == Layout::kPermuted ? i : shape.rank - 1 - i;
    const bool repeats = layout == Layout::kBroadcast && axis % 2 == 0;
    view.strides.step[axis] = repeats ? 0 : step;
    if (!repeats) step *= shape.size[axis] + (layout == Layout::kPermuted ? 1 : 0);
  }
  view.memory = random.floats(step + 1, low, high);
  if (layout == Layout::kReversed) {
    for (int32_t axis = 0; axis < shape.rank; ++axis) {
      if (shape.size[axis] == 0) continue;
      view.offset += (shape.size[axis] - 1) * view.strides.step[axis];
      view.strides.step[axis] = -view.strides.step[axis];
    }
  }
  return view;
}

inline std::vector<double> elements_of(const View& view, const Shape& shape) {
  std::vector<double> values(static_cast<size_t>(count_of(shape)));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<double>(view.data()[offset_of(shape, view.strides, static_cast<int64_t>(i))]);
  }
  return values;
}

inline constexpr Layout kLayouts[] = {Layout::kContiguous, Layout::kPermuted, Layout::kBroadcast, Layout::kReversed};

}  // namespace statespace::test

#include "extent.h"

#include <algorithm>
#include <array>

namespace statespace::arguments {

bool Measure(std::span<const Axis> axes, Extent* extent) noexcept {
  int64_t entries = 1;
  for (size_t i = axes.size(); i-- > 0;) {
    const auto [size, stride] = axes[i];
    if (size == 0) extent->empty = true;
    if (size > 1 && stride != entries) extent->contiguous = false;
    const int64_t nonzero = std::max(size, int64_t{1});
    int64_t reach = 0;
    int64_t* end = stride < 0 ? &extent->lowest : &extent->highest;
    const bool fits = !__builtin_mul_overflow(entries, nonzero, &entries) && entries <= kMaxEntries &&
                      !__builtin_mul_overflow(nonzero - 1, stride, &reach) &&
                      !__builtin_add_overflow(*end, reach, end);
    if (!fits) return false;
  }
  return true;
}

bool Separate(std::span<const Axis> axes) noexcept {
  struct Steps {
    uint64_t stride;
    uint64_t count;
  };
  std::array<Steps, kMostAxes> sorted;
  size_t count = 0;
  for (const auto& [size, stride] : axes) {
    if (size == 0) return true;
    const auto magnitude = static_cast<uint64_t>(stride);
    if (size > 1) sorted[count++] = {stride < 0 ? 0 - magnitude : magnitude, static_cast<uint64_t>(size - 1)};
  }
  std::sort(sorted.begin(), sorted.begin() + count, [](const Steps& a, const Steps& b) { return a.stride < b.stride; });
  uint64_t reach = 0;
  for (size_t i = 0; i < count; ++i) {
    if (sorted[i].stride <= reach) return false;
    reach += sorted[i].stride * sorted[i].count;
  }
  return true;
}

bool Product(std::initializer_list<int64_t> sizes, int64_t* product) noexcept {
  // Zeros are left out of the bound: a kernel may multiply the other sizes of an empty tensor.
  int64_t bound = 1;
  *product = 1;
  for (const int64_t size : sizes) {
    if (__builtin_mul_overflow(bound, std::max(size, int64_t{1}), &bound) || bound > kMaxEntries) return false;
    *product *= size;
  }
  return true;
}

int32_t FindOverlap(std::span<const MemoryRange> ranges) noexcept {
  for (const MemoryRange& output : ranges) {
    if (output.role == Role::kRead) continue;
    for (const MemoryRange& other : ranges) {
      if (&output == &other || output.begin >= other.end || other.begin >= output.end) continue;
      const bool same = output.sharing == Sharing::kSameView && other.role == Role::kRead &&
                        output.begin == other.begin && output.end == other.end && output.contiguous &&
                        other.contiguous;
      if (!same) return output.position;
    }
  }
  return -1;
}

}  // namespace statespace::arguments

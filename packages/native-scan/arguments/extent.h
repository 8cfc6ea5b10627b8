/// How far views reach and what they share, in overflow-safe arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace statespace::arguments {

inline constexpr int64_t kMaxSize = int64_t{1} << 40;
/// Kernels walk batch rows one by one, those without entries too.
inline constexpr int64_t kMaxBatch = (int64_t{1} << 31) - 1;
/// Bound on the entries of any view, also of empty ones with zeros left out, so that no product of sizes in a
/// kernel can overflow.
inline constexpr int64_t kMaxEntries = int64_t{1} << 52;

/// Axes of a view, the two parts of complex entries among them.
inline constexpr size_t kMostAxes = 9;

struct Axis {
  int64_t size;
  int64_t stride;
};

/// Element indices that a view reaches, relative to its first element.
struct Extent {
  int64_t lowest = 0;
  int64_t highest = 0;
  bool empty = false;
  bool contiguous = true;
};

/// False where sizes or strides are beyond what any memory holds. Sizes are not negative.
bool Measure(std::span<const Axis> axes, Extent* extent) noexcept;

/// Whether no two entries of a measured view share memory, by a test that slices and permutations pass: each stride
/// leads beyond what the smaller ones reach.
bool Separate(std::span<const Axis> axes) noexcept;

/// False where the product of the sizes, zeros left out, is above `kMaxEntries`.
bool Product(std::initializer_list<int64_t> sizes, int64_t* product) noexcept;

/// How a kernel uses an array.
enum class Role : uint8_t { kRead, kWrite, kUpdate };

/// What an output may share memory with.
enum class Sharing : uint8_t {
  kNone,
  /// An input that is element for element the same contiguous view.
  kSameView,
};

/// Memory that one argument of a call reaches.
struct MemoryRange {
  const char* begin;
  const char* end;
  int32_t position;
  Role role;
  Sharing sharing;
  bool contiguous;
};

/// Position of the first output that shares memory as it must not; -1 when none does.
int32_t FindOverlap(std::span<const MemoryRange> ranges) noexcept;

}  // namespace statespace::arguments

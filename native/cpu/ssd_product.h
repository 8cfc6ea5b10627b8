/// Small dense products on chunks of the SSD scan: both operands lie in the nearest caches, so nothing is packed.
#pragma once

#include "simd.h"

namespace statespace::STATESPACE_ISA_NS {

/// Rows of c that one pass keeps in registers, beside two vectors of columns.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int kTileRows = 8;
#elif defined(__AVX2__)
inline constexpr int kTileRows = 6;
#else
inline constexpr int kTileRows = 4;
#endif
inline constexpr int kTileCols = 2 * kLanes;

/// Which part of the second term's A counts: all, element (i, k) with k <= i, or with k >= i. The rest is not read, so
/// that an infinity or NaN of b reaches no row that it does not belong to.
enum class Triangle { kNone, kLower, kUpper };

/// A product A B: A's element (i, k) is a[i * a_row + k * a_depth]; row k of B starts at b + k * b_row and has whole
/// vectors of columns.
struct Term {
  const float* a = nullptr;
  int64_t a_row = 0;
  int64_t a_depth = 1;
  const float* b = nullptr;
  int64_t b_row = 0;
  int64_t depth = 0;
};

/// c = row_scale (factor from + first) + second, rows by cols; `cols` is a multiple of kLanes.
struct Product {
  Term first;
  Term second;
  Triangle triangle = Triangle::kNone;  // of `second`, whose depth is then the number of rows
  const float* from = nullptr;  // laid out as c, may be c; null: zero
  float factor = 1;
  const float* row_scale = nullptr;  // one number per row; null: 1
  float* c = nullptr;
  int64_t c_row = 0;
  /// Columns beyond the last row of a tile are not needed, and not written.
  bool lower_only = false;
};

void multiply(const Product& product, int64_t rows, int64_t cols) noexcept;

}  // namespace statespace::STATESPACE_ISA_NS

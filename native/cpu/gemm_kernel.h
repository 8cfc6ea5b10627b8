/// The core of the matrix product: packing, and the register-blocked inner kernel. See gemm.cpp for the whole.
#pragma once

#include "simd.h"

namespace statespace::STATESPACE_ISA_NS {

/// Rows and columns of the inner kernel: as many accumulators as registers allow beside two vectors of b and one
/// broadcast element of a.
#if defined(__AVX512F__)
inline constexpr int kMicroRows = 14;
#elif defined(__AVX2__)
inline constexpr int kMicroRows = 6;
#elif defined(__aarch64__)
inline constexpr int kMicroRows = 12;
#else
inline constexpr int kMicroRows = 5;
#endif
inline constexpr int kMicroCols = 2 * kLanes;

/// Depth of one pass: a panel of a and one of b stay in the nearest caches.
inline constexpr int64_t kDepth = 384;

/// Columns that the panel for `cols` columns holds in memory: whole vectors.
STATESPACE_INLINE int64_t panel_width(int64_t cols) { return cols <= kLanes ? kLanes : kMicroCols; }

/// Hides where a pointer comes from: GCC would otherwise reach all rows from one pointer, with more offsets than there
/// are registers for.
STATESPACE_INLINE const float* as_pointer(const float* p) {
  asm("" : "+r"(p));
  return p;
}

/// Floats that `pack_b` needs for `cols` columns of depth `depth`.
STATESPACE_INLINE int64_t packed_b_size(int64_t depth, int64_t cols) { return depth * round_up(cols, kLanes); }

/// Where column `col`, a multiple of kMicroCols, starts in memory that `pack_b` wrote.
STATESPACE_INLINE int64_t packed_b_offset(int64_t depth, int64_t col) { return depth * col; }

/// dst[c * dst_step + r] = src[r * src_step + c] for r < rows, c < cols.
void transpose_into(const float* src, int64_t src_step, int64_t rows, int64_t cols, float* dst,
                    int64_t dst_step) noexcept;

/// Packs op(b), depth rows by cols columns, into panels of kMicroCols columns: each row of a panel is contiguous,
/// and the last panel is filled up with zeros to whole vectors. `b` points at op(b)'s first element.
void pack_b(const float* b, int64_t b_row_stride, bool transposed, int64_t depth, int64_t cols, float* packed) noexcept;

/// A block of op(a) as the inner kernel reads it: element (i, p) of panel j, which has kMicroRows rows (the last one
/// fewer), is data[j * panel_step + i * row_step + p * depth_step].
struct LeftBlock {
  const float* data;
  int64_t row_step;
  int64_t depth_step;
  int64_t panel_step;
};

/// Floats that `pack_a` needs.
int64_t packed_a_size(bool transposed, int64_t rows, int64_t depth) noexcept;

/// Copies op(a), rows by depth, so that its rows do not evict one another from the nearest cache, as rows a power of
/// two apart would. `readable` rows of op(a) from the first one on are in memory.
LeftBlock pack_a(const float* a, int64_t a_row_stride, bool transposed, int64_t rows, int64_t readable, int64_t depth,
                 float* packed) noexcept;

/// c = A B, or c += A B with `add`, for rows <= kMicroRows and cols <= kMicroCols.
/// A's element (i, p) is a[i * a_row_step + p * a_depth_step]; row p of B starts at b + p * b_depth_step and has
/// panel_width(cols) readable floats.
void micro_product(int64_t rows, int64_t cols, int64_t depth, const float* a, int64_t a_row_step,
                   int64_t a_depth_step, const float* b, int64_t b_depth_step, float* c, int64_t c_row_stride,
                   bool add) noexcept;

/// c (rows, cols) = or += A B with A as above, of any number of rows, and B packed by `pack_b`.
void block_product(int64_t rows, int64_t cols, int64_t depth, const float* a, int64_t a_row_step,
                   int64_t a_depth_step, const float* packed_b, float* c, int64_t c_row_stride, bool add) noexcept;

/// As above with B as it lies, row-major with whole vectors: cols is a multiple of kLanes.
void direct_product(int64_t rows, int64_t cols, int64_t depth, const float* a, int64_t a_row_step,
                    int64_t a_depth_step, const float* b, int64_t b_row_stride, float* c, int64_t c_row_stride,
                    bool add) noexcept;

/// Rows of memory that will be read soon, called for cache line by cache line.
struct Ahead {
  const float* row = nullptr;
  int64_t row_stride = 0;
  int64_t rows = 0;
  int64_t width = 0;
  int64_t col = 0;

  /// Calls for the next `lines` cache lines, as far as there are any.
  void call(int64_t lines) noexcept {
    for (; lines > 0 && rows > 0; --lines) {
      __builtin_prefetch(row + col, 0, 2);
      col += 16;
      if (col < width) continue;
      __builtin_prefetch(row + width - 1, 0, 2);
      col = 0;
      row += row_stride;
      --rows;
    }
  }
};

/// As `block_product` with a block of A, in the order that keeps the reused panel in the nearest cache; calls for the
/// part of c before it is needed where the depth gives the time, and meanwhile for what comes `ahead`.
void panel_product(int64_t rows, int64_t cols, int64_t depth, const LeftBlock& a, const float* packed_b, float* c,
                   int64_t c_row_stride, bool add, Ahead ahead) noexcept;

}  // namespace statespace::STATESPACE_ISA_NS

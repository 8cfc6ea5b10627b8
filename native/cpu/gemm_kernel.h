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

/// Packs op(a), rows by depth, into panels of kMicroRows rows (the last one narrower): the elements of one depth
/// lie together.
void pack_a(const float* a, int64_t a_row_stride, bool transposed, int64_t rows, int64_t depth, float* packed) noexcept;

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

/// As `block_product` with A packed by `pack_a`.
void packed_product(int64_t rows, int64_t cols, int64_t depth, const float* packed_a, const float* packed_b, float* c,
                    int64_t c_row_stride, bool add) noexcept;

}  // namespace statespace::STATESPACE_ISA_NS

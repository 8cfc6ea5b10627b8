/// Packing and the inner kernel of the matrix product.
///
/// The inner kernel keeps a tile of c, kMicroRows by two vectors, in registers. One step along the depth loads two
/// vectors of b and multiplies them by one broadcast element of a per row; on AVX-512 that is 28 fused
/// multiply-adds for 16 small loads, so the multipliers are the limit.
#include "gemm_kernel.h"

#include <type_traits>

#include "row_sums.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

typedef float Quad __attribute__((vector_size(16)));
typedef float UnalignedQuad __attribute__((vector_size(16), aligned(4), may_alias));

STATESPACE_INLINE Quad load_quad(const float* p) { return *reinterpret_cast<const UnalignedQuad*>(p); }
STATESPACE_INLINE void store_quad(float* p, Quad v) { *reinterpret_cast<UnalignedQuad*>(p) = v; }

/// A 4 x 4 transpose in registers.
STATESPACE_INLINE void transpose_quads(const float* src, int64_t src_step, float* dst, int64_t dst_step) {
  const Quad r0 = load_quad(src);
  const Quad r1 = load_quad(src + src_step);
  const Quad r2 = load_quad(src + 2 * src_step);
  const Quad r3 = load_quad(src + 3 * src_step);
  const Quad low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
  const Quad high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
  const Quad low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
  const Quad high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  store_quad(dst, __builtin_shufflevector(low01, low23, 0, 1, 4, 5));
  store_quad(dst + dst_step, __builtin_shufflevector(low01, low23, 2, 3, 6, 7));
  store_quad(dst + 2 * dst_step, __builtin_shufflevector(high01, high23, 0, 1, 4, 5));
  store_quad(dst + 3 * dst_step, __builtin_shufflevector(high01, high23, 2, 3, 6, 7));
}

/// A micro tile into c, or onto it with `add`; kVectors vectors a row, the last one of `last_lanes` columns.
template <int kRows, int kVectors>
STATESPACE_INLINE void put_tile(const Floats (&sum)[kRows][kVectors], float* c, int64_t c_row_stride, bool add,
                                int64_t last_lanes) {
  constexpr int kWhole = kVectors - 1;
  if (last_lanes < kLanes) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i, c += c_row_stride) {
      if constexpr (kWhole == 1) store(c, add ? load(c) + sum[i][0] : sum[i][0]);
      float* last = c + kWhole * kLanes;
      const Floats before = add ? load_partial(last, last_lanes) : Floats{};
      store_partial(last, before + sum[i][kWhole], last_lanes);
    }
  } else if (add) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i, c += c_row_stride) {
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) store(c + j * kLanes, load(c + j * kLanes) + sum[i][j]);
    }
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i, c += c_row_stride) {
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) store(c + j * kLanes, sum[i][j]);
    }
  }
}

/// kRows rows, kVectors vectors; the last vector of c has `last_lanes` columns.
/// Three rows share a pointer, since an address may hold one or two times the step between rows for nothing.
template <int kRows, int kVectors>
void micro(int64_t depth, const float* a, int64_t a_row_step, int64_t a_depth_step, const float* b,
           int64_t b_depth_step, float* c, int64_t c_row_stride, bool add, int64_t last_lanes) noexcept {
  constexpr int kPointers = (kRows + 2) / 3;
  const float* rows[kPointers];
#pragma GCC unroll 5
  for (int i = 0; i < kPointers; ++i) rows[i] = as_pointer(a + 3 * i * a_row_step);
  Floats sum[kRows][kVectors];
  const auto step = [&](auto first) __attribute__((always_inline)) {
    Floats right[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) right[j] = load(b + j * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Floats left = broadcast(rows[i / 3][i % 3 * a_row_step]);
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sum[i][j] = first ? left * right[j] : fma(left, right[j], sum[i][j]);
    }
#pragma GCC unroll 5
    for (int i = 0; i < kPointers; ++i) rows[i] = as_pointer(rows[i] + a_depth_step);
    b += b_depth_step;
  };
  step(std::true_type{});
  for (int64_t p = 1; p < depth; ++p) step(std::false_type{});
  put_tile<kRows, kVectors>(sum, c, c_row_stride, add, last_lanes);
}

using Micro = void (*)(int64_t, const float*, int64_t, int64_t, const float*, int64_t, float*, int64_t, bool,
                       int64_t) noexcept;

/// One kernel for every number of rows up to kMicroRows.
struct MicroTable {
  Micro narrow[kMicroRows + 1];
  Micro wide[kMicroRows + 1];
};

template <int kRows>
constexpr void fill_table(MicroTable& table) {
  if constexpr (kRows > 0) {
    table.narrow[kRows] = micro<kRows, 1>;
    table.wide[kRows] = micro<kRows, 2>;
    fill_table<kRows - 1>(table);
  }
}

constexpr MicroTable make_table() {
  MicroTable table = {};
  fill_table<kMicroRows>(table);
  return table;
}

constexpr MicroTable kTable = make_table();

/// Rows of a panel of packed, transposed a: whole vectors.
constexpr int64_t kPackedRows = (kMicroRows + kLanes - 1) / kLanes * kLanes;

/// Which panel stays in the nearest cache (32 KiB and more) while those of the other side pass from the second: the
/// one of b costs more to pass, so it stays where it fits.
constexpr bool kKeepsLeftPanel = kMicroCols * kDepth * sizeof(float) > 24 * 1024;

/// Depth from which a tile takes longer than the memory to answer.
constexpr int64_t kPrefetchDepth = 32;

/// Step of packed rows: an odd number of cache lines.
int64_t packed_row_step(int64_t depth) { return (ceil_div(depth, 16) | 1) * 16; }

STATESPACE_INLINE void prefetch_tile(float* c, int64_t c_row_stride, int64_t rows, int64_t cols) {
  for (int64_t i = 0; i < rows; ++i, c += c_row_stride) {
    for (int64_t j = 0; j < cols; j += 16) __builtin_prefetch(c + j, 1, 3);
    __builtin_prefetch(c + cols - 1, 1, 3);
  }
}

}  // namespace

void transpose_into(const float* src, int64_t src_step, int64_t rows, int64_t cols, float* dst,
                    int64_t dst_step) noexcept {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    int64_t c = 0;
    for (; c + 4 <= cols; c += 4) {
      transpose_quads(src + r * src_step + c, src_step, dst + c * dst_step + r, dst_step);
    }
    for (; c < cols; ++c) {
      for (int64_t i = r; i < r + 4; ++i) dst[c * dst_step + i] = src[i * src_step + c];
    }
  }
  for (; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) dst[c * dst_step + r] = src[r * src_step + c];
  }
}

void pack_b(const float* b, int64_t b_row_stride, bool transposed, int64_t depth, int64_t cols,
            float* packed) noexcept {
  for (int64_t col = 0; col < cols; col += kMicroCols) {
    const int64_t here = smaller<int64_t>(kMicroCols, cols - col);
    const int64_t width = panel_width(here);
    float* panel = packed + packed_b_offset(depth, col);
    if (transposed) {
      transpose_into(b + col * b_row_stride, b_row_stride, here, depth, panel, width);
      for (int64_t p = 0; here < width && p < depth; ++p) {
        for (int64_t j = here; j < width; ++j) panel[p * width + j] = 0;
      }
      continue;
    }
    for (int64_t p = 0; p < depth; ++p) {
      const float* row = b + p * b_row_stride + col;
      for (int64_t j = 0; j < width; j += kLanes) {
        const int64_t lanes = here - j;
        store(panel + p * width + j, lanes >= kLanes ? load(row + j) : load_partial(row + j, lanes));
      }
    }
  }
}

int64_t packed_a_size(bool transposed, int64_t rows, int64_t depth) noexcept {
  return transposed ? ceil_div(rows, kMicroRows) * depth * kPackedRows : rows * packed_row_step(depth);
}

LeftBlock pack_a(const float* a, int64_t a_row_stride, bool transposed, int64_t rows, int64_t readable, int64_t depth,
                 float* packed) noexcept {
  if (!transposed) {
    const int64_t step = packed_row_step(depth);
    for (int64_t row = 0; row < rows; ++row) {
      const float* from = a + row * a_row_stride;
      for_vectors(depth, [&](int64_t p, int64_t n) { store_some(packed + row * step + p, load_some(from + p, n), n); });
    }
    return {packed, step, 1, kMicroRows * step};
  }
  // Whole vectors are copied where they can be read; lanes beyond the rows of a panel are not used.
  const int64_t panel_step = depth * kPackedRows;
  const int64_t whole = readable < kPackedRows ? 0 : (readable - kPackedRows) / kMicroRows + 1;
  const int64_t panels = ceil_div(rows, kMicroRows);
  for (int64_t p = 0; p < depth; ++p) {
    const float* from = a + p * a_row_stride;
    float* to = packed + p * kPackedRows;
    int64_t panel = 0;
    for (; panel < smaller(panels, whole); ++panel, from += kMicroRows, to += panel_step) {
      for (int64_t i = 0; i < kPackedRows; i += kLanes) store(to + i, load(from + i));
    }
    for (; panel < panels; ++panel, from += kMicroRows, to += panel_step) {
      const int64_t here = smaller<int64_t>(kMicroRows, rows - panel * kMicroRows);
      for_vectors(here, [&](int64_t i, int64_t n) { store_some(to + i, load_some(from + i, n), n); });
    }
  }
  return {packed, 1, kPackedRows, panel_step};
}

void micro_product(int64_t rows, int64_t cols, int64_t depth, const float* a, int64_t a_row_step,
                   int64_t a_depth_step, const float* b, int64_t b_depth_step, float* c, int64_t c_row_stride,
                   bool add) noexcept {
  const bool wide = cols > kLanes;
  const int64_t last_lanes = wide ? cols - kLanes : cols;
  const Micro kernel = wide ? kTable.wide[rows] : kTable.narrow[rows];
  kernel(depth, a, a_row_step, a_depth_step, b, b_depth_step, c, c_row_stride, add, last_lanes);
}

void block_product(int64_t rows, int64_t cols, int64_t depth, const float* a, int64_t a_row_step,
                   int64_t a_depth_step, const float* packed_b, float* c, int64_t c_row_stride, bool add) noexcept {
  for (int64_t col = 0; col < cols; col += kMicroCols) {
    const int64_t here = smaller<int64_t>(kMicroCols, cols - col);
    const float* panel = packed_b + packed_b_offset(depth, col);
    for (int64_t row = 0; row < rows; row += kMicroRows) {
      micro_product(smaller<int64_t>(kMicroRows, rows - row), here, depth, a + row * a_row_step, a_row_step,
                    a_depth_step, panel, panel_width(here), c + row * c_row_stride + col, c_row_stride, add);
    }
  }
}

void direct_product(int64_t rows, int64_t cols, int64_t depth, const float* a, int64_t a_row_step,
                    int64_t a_depth_step, const float* b, int64_t b_row_stride, float* c, int64_t c_row_stride,
                    bool add) noexcept {
  for (int64_t row = 0; row < rows; row += kMicroRows) {
    for (int64_t col = 0; col < cols; col += kMicroCols) {
      micro_product(smaller<int64_t>(kMicroRows, rows - row), smaller<int64_t>(kMicroCols, cols - col), depth,
                    a + row * a_row_step, a_row_step, a_depth_step, b + col, b_row_stride,
                    c + row * c_row_stride + col, c_row_stride, add);
    }
  }
}

void panel_product(int64_t rows, int64_t cols, int64_t depth, const LeftBlock& a, const float* packed_b, float* c,
                   int64_t c_row_stride, bool add, Ahead ahead) noexcept {
  const int64_t row_panels = ceil_div(rows, kMicroRows);
  const int64_t col_panels = ceil_div(cols, kMicroCols);
  const int64_t lines = ceil_div(ahead.rows * ceil_div(ahead.width, 16), row_panels * col_panels);
  const auto tiles = [&](int64_t i, int64_t begin, int64_t end) __attribute__((always_inline)) {
    const int64_t height = smaller<int64_t>(kMicroRows, rows - i * kMicroRows);
    const float* left = a.data + i * a.panel_step;
    const float* right = packed_b + packed_b_offset(depth, begin * kMicroCols);
    float* to = c + i * kMicroRows * c_row_stride + begin * kMicroCols;
    for (int64_t j = begin; j < end; ++j) {
      const int64_t width = smaller<int64_t>(kMicroCols, cols - j * kMicroCols);
      if (depth >= kPrefetchDepth) {
        prefetch_tile(to, c_row_stride, height, width);
        ahead.call(lines);
      }
      micro_product(height, width, depth, left, a.row_step, a.depth_step, right, panel_width(width), to, c_row_stride,
                    add);
      right += depth * kMicroCols;
      to += kMicroCols;
    }
  };
  if (kKeepsLeftPanel) {
    for (int64_t i = 0; i < row_panels; ++i) tiles(i, 0, col_panels);
  } else {
    for (int64_t j = 0; j < col_panels; ++j) {
      for (int64_t i = 0; i < row_panels; ++i) tiles(i, j, j + 1);
    }
  }
}

}  // namespace statespace::STATESPACE_ISA_NS

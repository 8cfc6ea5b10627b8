/// Register-blocked products of the SSD scan.
///
/// A tile of c, kTileRows by two vectors, stays in registers through both terms; one step along the depth loads two
/// vectors of b and multiplies them by one broadcast element of a per row. The order of the sums depends on the shape
/// alone.
#include "ssd_product.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// One tile: pointers at its first element.
struct Tile {
  const Product* product;
  const float* first_a;
  const float* first_b;
  int64_t first_depth;
  const float* second_a;
  const float* second_b;
  int64_t second_depth;  // without the triangle
  const float* triangle_a;
  const float* triangle_b;
  const float* from;
  const float* row_scale;
  float* c;
};

template <int kRows, int kVectors>
STATESPACE_INLINE void accumulate(Floats (&sum)[kRows][kVectors], const float* a, const float* b, int64_t depth,
                                  const Term& term) {
  const int64_t a_row = term.a_row, a_depth = term.a_depth, b_row = term.b_row;
  for (int64_t k = 0; k < depth; ++k) {
    Floats right[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) right[j] = load(b + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Floats left = broadcast(a[i * a_row]);
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sum[i][j] = fma(left, right[j], sum[i][j]);
    }
    a += a_depth;
    b += b_row;
  }
}

/// The kRows depths on the diagonal: row i takes those up to i, or those from i on.
template <int kRows, int kVectors>
STATESPACE_INLINE void accumulate_triangle(Floats (&sum)[kRows][kVectors], const float* a, const float* b,
                                           const Term& term, bool lower) {
#pragma GCC unroll 8
  for (int k = 0; k < kRows; ++k) {
    Floats right[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) right[j] = load(b + k * term.b_row + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      if (i != k && (i > k) != lower) continue;
      const Floats left = broadcast(a[i * term.a_row + k * term.a_depth]);
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sum[i][j] = fma(left, right[j], sum[i][j]);
    }
  }
}

template <int kRows, int kVectors>
void micro(const Tile& tile) noexcept {
  const Product& p = *tile.product;
  Floats sum[kRows][kVectors] = {};
  if (tile.from != nullptr) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sum[i][j] = p.factor * load(tile.from + i * p.c_row + j * kLanes);
    }
  }
  accumulate<kRows, kVectors>(sum, tile.first_a, tile.first_b, tile.first_depth, p.first);
  if (tile.row_scale != nullptr) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sum[i][j] *= tile.row_scale[i];
    }
  }
  accumulate<kRows, kVectors>(sum, tile.second_a, tile.second_b, tile.second_depth, p.second);
  // Two calls, so that each is unrolled for its triangle.
  if (p.triangle == Triangle::kLower) {
    accumulate_triangle<kRows, kVectors>(sum, tile.triangle_a, tile.triangle_b, p.second, true);
  } else if (p.triangle == Triangle::kUpper) {
    accumulate_triangle<kRows, kVectors>(sum, tile.triangle_a, tile.triangle_b, p.second, false);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) store(tile.c + i * p.c_row + j * kLanes, sum[i][j]);
  }
}

using Micro = void (*)(const Tile&) noexcept;

struct MicroTable {
  Micro narrow[kTileRows + 1];
  Micro wide[kTileRows + 1];
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
  fill_table<kTileRows>(table);
  return table;
}

constexpr MicroTable kTable = make_table();

/// p + offset; an absent operand stays absent.
STATESPACE_INLINE const float* advance(const float* p, int64_t offset) { return p == nullptr ? p : p + offset; }

}  // namespace

void multiply(const Product& p, int64_t rows, int64_t cols) noexcept {
  for (int64_t col = 0; col < cols; col += kTileCols) {
    const Micro* const kernels = cols - col > kLanes ? kTable.wide : kTable.narrow;
    for (int64_t row = 0; row < rows; row += kTileRows) {
      const int64_t height = smaller<int64_t>(kTileRows, rows - row);
      if (p.lower_only && col >= row + height) continue;
      // A lower triangle is whole before its diagonal block, an upper one behind it.
      const int64_t begin = p.triangle == Triangle::kUpper ? row + height : 0;
      const int64_t end = p.triangle == Triangle::kLower ? row : p.second.depth;
      const float* second_a = advance(p.second.a, row * p.second.a_row);
      const float* second_b = advance(p.second.b, col);
      const int64_t at = row * p.c_row + col;
      const Tile tile = {&p,
                         advance(p.first.a, row * p.first.a_row),
                         advance(p.first.b, col),
                         p.first.depth,
                         advance(second_a, begin * p.second.a_depth),
                         advance(second_b, begin * p.second.b_row),
                         end - begin,
                         advance(second_a, row * p.second.a_depth),
                         advance(second_b, row * p.second.b_row),
                         advance(p.from, at),
                         advance(p.row_scale, row),
                         p.c + at};
      kernels[height](tile);
    }
  }
}

}  // namespace statespace::STATESPACE_ISA_NS

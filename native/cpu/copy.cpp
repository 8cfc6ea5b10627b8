/// Strided copies with conversion, and fills. Oracle: packages/ssd-core/src/ops/elementwise.
#include "dense_checks.h"
#include "isa_kernels.h"
#include "number_format.h"
#include "parallel.h"
#include "strided_walk.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Side of the square in which a transposing copy works: its lines stay in the first-level cache.
constexpr int64_t kTile = 32;

/// Elements converted at a time, through doubles, which hold every format exactly.
constexpr int64_t kConverted = 256;

template <typename T>
void copy_runs(const CopyArgs& args, const Walk<2>& walk) noexcept {
  const T* x = static_cast<const T*>(args.x);
  T* out = static_cast<T*>(args.out);
  const int64_t x_step = walk.inner_step(0);
  const int64_t out_step = walk.inner_step(1);
  for_ranges(walk.count, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    walk_runs(walk, begin, end, [&](const int64_t* offset, int64_t n) noexcept {
      const T* from = x + offset[0];
      T* to = out + offset[1];
      if (x_step == 1 && out_step == 1) {
        __builtin_memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
      } else {
        for (int64_t i = 0; i < n; ++i) to[i * out_step] = from[i * x_step];
      }
    });
  });
}

/// A copy whose two innermost axes change places in memory: square tiles, so that both sides use whole lines.
template <typename T>
void copy_transposed(const CopyArgs& args, const Walk<2>& walk) noexcept {
  const T* x = static_cast<const T*>(args.x);
  T* out = static_cast<T*>(args.out);
  const int32_t row_axis = walk.rank - 2;
  const int64_t rows = walk.size[row_axis];
  const int64_t cols = walk.size[row_axis + 1];
  const int64_t bands = ceil_div(rows, kTile);
  Walk<2> outer = walk;
  outer.rank = row_axis;
  outer.count = walk.count / (rows * cols);
  for_chunks(outer.count * bands, worker_limit(), [&](int64_t chunk, int32_t) noexcept {
    const int64_t matrix = chunk / bands;
    const int64_t row0 = (chunk % bands) * kTile;
    const int64_t row1 = smaller(row0 + kTile, rows);
    walk_runs(outer, matrix, matrix + 1, [&](const int64_t* offset, int64_t) noexcept {
      for (int64_t col0 = 0; col0 < cols; col0 += kTile) {
        const int64_t col1 = smaller(col0 + kTile, cols);
        for (int64_t row = row0; row < row1; ++row) {
          const T* from = x + offset[0] + row * walk.step[row_axis][0];
          T* to = out + offset[1] + row * walk.step[row_axis][1];
          const int64_t x_step = walk.inner_step(0);
          const int64_t out_step = walk.inner_step(1);
          for (int64_t col = col0; col < col1; ++col) to[col * out_step] = from[col * x_step];
        }
      }
    });
  });
}

/// Between equal formats.
template <typename T>
void copy_same(const CopyArgs& args, const Walk<2>& walk) noexcept {
  const bool crosses = walk.rank >= 2 && walk.inner_step(0) != walk.inner_step(1) &&
                       (walk.step[walk.rank - 2][0] == 1 || walk.step[walk.rank - 2][1] == 1);
  if (crosses) {
    copy_transposed<T>(args, walk);
  } else {
    copy_runs<T>(args, walk);
  }
}

template <typename T>
void read_doubles(const void* x, int64_t at, int64_t step, int64_t n, double* values) noexcept {
  const T* from = static_cast<const T*>(x) + at;
  for (int64_t i = 0; i < n; ++i) values[i] = to_double(from[i * step]);
}

template <typename T>
void write_doubles(const double* values, int64_t n, void* out, int64_t at, int64_t step) noexcept {
  T* to = static_cast<T*>(out) + at;
  for (int64_t i = 0; i < n; ++i) from_double(values[i], to[i * step]);
}

/// Between formats: one reader and one writer a format, not a loop for each pair of them.
bool copy_converted(const CopyArgs& args, const Walk<2>& walk) noexcept {
  decltype(&read_doubles<float>) read = nullptr;
  decltype(&write_doubles<float>) write = nullptr;
  dispatch_dtype(args.x_dtype, [&](auto type) noexcept { read = &read_doubles<decltype(type)>; });
  dispatch_dtype(args.out_dtype, [&](auto type) noexcept { write = &write_doubles<decltype(type)>; });
  if (read == nullptr || write == nullptr) return false;
  const int64_t x_step = walk.inner_step(0);
  const int64_t out_step = walk.inner_step(1);
  for_ranges(walk.count, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    walk_runs(walk, begin, end, [&](const int64_t* offset, int64_t n) noexcept {
      double values[kConverted];
      for (int64_t i = 0; i < n; i += kConverted) {
        const int64_t count = smaller(kConverted, n - i);
        read(args.x, offset[0] + i * x_step, x_step, count, values);
        write(values, count, args.out, offset[1] + i * out_step, out_step);
      }
    });
  });
  return true;
}

}  // namespace

Status copy(const CopyArgs& args) noexcept {
  const Status checked = check_copy(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Walk<2> walk = collapse<2>(args.shape, {&args.x_strides, &args.out_strides});
  const bool known = args.x_dtype == args.out_dtype
                         ? dispatch_dtype(args.x_dtype,
                                          [&](auto type) noexcept { copy_same<decltype(type)>(args, walk); })
                         : copy_converted(args, walk);
  return known ? Status::kOk : Status::kBadArgument;
}

Status fill(const FillArgs& args) noexcept {
  const Status checked = check_fill(args);
  if (checked != Status::kOk || element_count(args.shape) == 0) return checked;
  const Walk<1> walk = collapse<1>(args.shape, {&args.out_strides});
  const int64_t step = walk.inner_step(0);
  const bool known = dispatch_dtype(args.dtype, [&](auto type) noexcept {
    using T = decltype(type);
    T value;
    from_double(args.value, value);
    T* out = static_cast<T*>(args.out);
    for_ranges(walk.count, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
      walk_runs(walk, begin, end, [&](const int64_t* offset, int64_t n) noexcept {
        T* to = out + offset[0];
        if (step == 1) {
          for (int64_t i = 0; i < n; ++i) to[i] = value;
        } else {
          for (int64_t i = 0; i < n; ++i) to[i * step] = value;
        }
      });
    });
  });
  return known ? Status::kOk : Status::kBadArgument;
}

}  // namespace statespace::STATESPACE_ISA_NS

/// Matrix products of few rows or columns: every element of out is a dot product of two vectors in memory.
///
/// Of the two matrices the one with more vectors is read once and as it lies, so a decode step runs at the speed of the
/// memory its weights come from. A tile is as many dot products as a vector has lanes, kept in registers in one lane
/// per 16 (8, 4) elements of the depth, and summed over the lanes all together by a tree of halves.
#include "gemm_dots.h"

#include "gemm_kernel.h"
#include "lane_sums.h"
#include "parallel.h"
#include "row_sums.h"
#include "scratch.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Few enough rows or columns for this form: packing would cost more.
constexpr int64_t kMostFew = 16;
/// Floats of the larger matrix that make a chunk.
constexpr int64_t kChunkFloats = 32768;

/// `count` vectors along the depth.
struct Vectors {
  const float* data;
  int64_t step;
  int64_t batch_step;
  int64_t count;
};

/// out's element of vector r of the many and f of the few is out[r * many_step + f * few_step].
struct Dots {
  const GemmArgs& args;
  Vectors many;
  Vectors few;
  int64_t many_step;
  int64_t few_step;
  bool bias_along_many;
};

/// The sums of the lanes of v[0] to v[2 kHalf - 1] into the lanes of v[0], by `fold` from the widest distance down: in
/// this order each step halves the registers in use.
template <int kHalf>
STATESPACE_INLINE void halve_sums(Floats* v) {
#pragma GCC unroll 8
  for (int i = 0; i < kHalf; ++i) v[i] = fold<kHalf>(v[i], v[i + kHalf]);
  if constexpr (kHalf > 1) halve_sums<kHalf / 2>(v);
}

/// kLanes dot products: lane i * kFew + f is that of vector i of x and f of y.
template <int kFew>
STATESPACE_INLINE Floats dot_tile(const float* x, int64_t x_step, const float* y, int64_t y_step, int64_t depth) {
  constexpr int kMany = kLanes / kFew;
  constexpr int kPointers = (kMany + 2) / 3;
  Floats sum[kLanes] = {};
  // Three vectors share a pointer, since an address may hold one or two times a step for nothing.
  const float* rows[kPointers];
#pragma GCC unroll 6
  for (int i = 0; i < kPointers; ++i) rows[i] = as_pointer(x + 3 * i * x_step);
  const auto step = [&](int64_t n) __attribute__((always_inline)) {
    Floats right[kFew];
#pragma GCC unroll 8
    for (int f = 0; f < kFew; ++f) right[f] = load_some(y + f * y_step, n);
#pragma GCC unroll 16
    for (int i = 0; i < kMany; ++i) {
      const Floats left = load_some(rows[i / 3] + i % 3 * x_step, n);
#pragma GCC unroll 8
      for (int f = 0; f < kFew; ++f) sum[i * kFew + f] = fma(left, right[f], sum[i * kFew + f]);
    }
#pragma GCC unroll 6
    for (int i = 0; i < kPointers; ++i) rows[i] = as_pointer(rows[i] + n);
    y += n;
  };
  int64_t p = 0;
  for (; p + kLanes <= depth; p += kLanes) step(kLanes);
  if (p < depth) step(depth - p);
  halve_sums<kLanes / 2>(sum);
  return sum[0];
}

/// Puts a tile's sums into out: `first` and up of its vectors, `few` columns of kFew.
STATESPACE_INLINE void put_sums(const Dots& d, Floats sums, int64_t few_here, int kFew, int64_t first, int64_t many,
                                float* out, const float* bias) {
  float value[kLanes];
  store(value, sums);
  for (int64_t i = first; i < many; ++i) {
    for (int64_t f = 0; f < few_here; ++f) {
      float& v = value[i * kFew + f];
      if (d.args.accumulate) v += out[i * d.many_step + f * d.few_step];
      if (bias != nullptr) v += bias[d.bias_along_many ? i : f];
    }
  }
  if (d.args.activation == Activation::kSilu) store(value, silu(load(value)));
  for (int64_t i = first; i < many; ++i) {
    for (int64_t f = 0; f < few_here; ++f) out[i * d.many_step + f * d.few_step] = value[i * kFew + f];
  }
}

/// Vectors [begin, end) of the many with few_here <= kFew of the few.
template <int kFew>
void dot_rows(const Dots& d, int64_t member, int64_t begin, int64_t end, int64_t few0, int64_t few_here) noexcept {
  constexpr int64_t kMany = kLanes / kFew;
  const float* y = d.few.data + member * d.few.batch_step + few0 * d.few.step;
  for (int64_t r = begin; r < end; r += kMany) {
    // The last tile goes back to be whole; what it computes again it does not store again.
    const int64_t at = smaller(r, larger<int64_t>(0, d.many.count - kMany));
    const float* x = d.many.data + member * d.many.batch_step + at * d.many.step;
    float* out = d.args.out + member * d.args.out_batch_stride + at * d.many_step + few0 * d.few_step;
    const float* bias = d.args.bias == nullptr ? nullptr : d.args.bias + (d.bias_along_many ? at : few0);
    const int64_t many = smaller<int64_t>(smaller(end, r + kMany), d.many.count) - at;
    put_sums(d, dot_tile<kFew>(x, d.many.step, y, d.few.step, d.args.k), few_here, kFew, r - at, many, out, bias);
  }
}

/// Vectors of the few taken together at most.
constexpr int64_t kMostTogether = kLanes < 8 ? kLanes : 8;

void dot_group(const Dots& d, int64_t member, int64_t begin, int64_t end, int64_t few0) noexcept {
  const int64_t few = smaller(kMostTogether, d.few.count - few0);
  if (few == 1) {
    dot_rows<1>(d, member, begin, end, few0, few);
  } else if (few == 2) {
    dot_rows<2>(d, member, begin, end, few0, few);
  } else if (few <= 4) {
    dot_rows<4>(d, member, begin, end, few0, few);
  } else {
    dot_rows<kMostTogether>(d, member, begin, end, few0, few);
  }
}

/// Whether the rows of op(a), or the columns of op(b), are the many.
bool rows_are_many(const GemmArgs& args) noexcept {
  return args.n <= kMostFew && !args.transpose_a && args.m >= args.n;
}
bool cols_are_many(const GemmArgs& args) noexcept { return args.m <= kMostFew && args.transpose_b && args.n >= args.m; }

/// Rows of op(a) as vectors, and columns of op(b).
void copy_rows(const GemmArgs& args, int64_t member, float* to, int64_t step) noexcept {
  const float* a = args.a + member * args.a_batch_stride;
  if (args.transpose_a) {
    transpose_into(a, args.a_row_stride, args.k, args.m, to, step);
    return;
  }
  for (int64_t i = 0; i < args.m; ++i) {
    __builtin_memcpy(to + i * step, a + i * args.a_row_stride, args.k * sizeof(float));
  }
}

void copy_cols(const GemmArgs& args, int64_t member, float* to, int64_t step) noexcept {
  const float* b = args.b + member * args.b_batch_stride;
  if (!args.transpose_b) {
    transpose_into(b, args.b_row_stride, args.k, args.n, to, step);
    return;
  }
  for (int64_t j = 0; j < args.n; ++j) {
    __builtin_memcpy(to + j * step, b + j * args.b_row_stride, args.k * sizeof(float));
  }
}

}  // namespace

bool suits_dots_form(const GemmArgs& args) noexcept {
  if (args.k < 2 * kLanes) return false;
  return (rows_are_many(args) && args.m >= kLanes) || (cols_are_many(args) && args.n >= kLanes);
}

Status dots_form(const GemmArgs& args) noexcept {
  const bool rows_many = rows_are_many(args);
  const int64_t few = rows_many ? args.n : args.m;
  // The few are copied, behind them as many zero vectors as the last tile wants.
  const int64_t copied = round_up(few, kMostTogether);
  const int64_t step = round_up(args.k, kLanes);
  Scratch scratch(args.batch * copied * step);
  if (!scratch.ok()) return Status::kOutOfMemory;
  for (int64_t member = 0; member < args.batch; ++member) {
    float* to = scratch.data() + member * copied * step;
    (rows_many ? copy_cols : copy_rows)(args, member, to, step);
    for (int64_t i = few * step; i < copied * step; ++i) to[i] = 0;
  }
  const Vectors few_vectors{scratch.data(), step, copied * step, few};
  const Dots d = rows_many ? Dots{args, {args.a, args.a_row_stride, args.a_batch_stride, args.m}, few_vectors,
                                  args.out_row_stride, 1, false}
                           : Dots{args, {args.b, args.b_row_stride, args.b_batch_stride, args.n}, few_vectors, 1,
                                  args.out_row_stride, true};
  const int64_t grain = round_up(larger<int64_t>(1, kChunkFloats / args.k), kLanes);
  const int64_t pieces = ceil_div(d.many.count, grain);
  for_chunks(args.batch * pieces, worker_limit(), [&](int64_t chunk, int32_t) noexcept {
    const int64_t begin = chunk % pieces * grain;
    const int64_t end = smaller(begin + grain, d.many.count);
    for (int64_t few0 = 0; few0 < few; few0 += kMostTogether) dot_group(d, chunk / pieces, begin, end, few0);
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS

/// Sum, mean and maximum over any axes. Oracle: packages/ssd-core/src/ops/reduce.
///
/// The axes split into kept and reduced ones. Reduced elements are taken in pieces of kPiece, in row-major order;
/// each piece leaves one partial result per kept element (in double for sums), and the partials are joined in
/// order. Inside a piece, lanes run along whichever group of axes is contiguous.
#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"
#include "scratch.h"
#include "strided_walk.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

/// Reduced elements of one piece: enough work for a chunk, few enough to add in float vectors.
constexpr int64_t kPiece = 32768;
/// Float sums are moved to double after so many additions per lane.
constexpr int64_t kBurst = 32;
/// Kept elements of one chunk.
constexpr int64_t kKeptTile = 256;

struct Problem {
  Walk<1> kept;
  Walk<1> reduced;
  const float* x;
};

/// Joins values one by one, and lane by lane.
struct Sum {
  static constexpr double kStart = 0;
  static Floats join(Floats a, Floats b) noexcept { return a + b; }
  static double join(double a, double b) noexcept { return a + b; }
  static constexpr double kEmptyLane = 0;
};

struct Max {
  static constexpr double kStart = -__builtin_inf();
  /// NaN in either operand wins.
  static Floats join(Floats a, Floats b) noexcept { return select(a == a, max(a, b), a); }
  static double join(double a, double b) noexcept { return !(a == a) || a > b ? a : b; }
  static constexpr double kEmptyLane = -__builtin_inf();
};

template <typename Op>
double join_lanes(Floats v) noexcept {
  double result = Op::kStart;
  for (int i = 0; i < kLanes; ++i) result = Op::join(result, static_cast<double>(v[i]));
  return result;
}

/// A run of n elements, `step` apart, joined with `result`.
template <typename Op>
double reduce_run(const float* x, int64_t step, int64_t n, double result) noexcept {
  if (step != 1) {
    for (int64_t i = 0; i < n; ++i) result = Op::join(result, static_cast<double>(x[i * step]));
    return result;
  }
  const Floats empty = broadcast(static_cast<float>(Op::kEmptyLane));
  for (int64_t begin = 0; begin < n; begin += kBurst * kLanes) {
    const int64_t end = smaller(begin + kBurst * kLanes, n);
    Floats joined = empty;
    int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes) joined = Op::join(joined, load(x + i));
    if (i < end) {
      const Floats rest = select(iota() < broadcast(static_cast<int32_t>(end - i)), load_partial(x + i, end - i), empty);
      joined = Op::join(joined, rest);
    }
    result = Op::join(result, join_lanes<Op>(joined));
  }
  return result;
}

/// partial[j] for kept elements [kept0, kept1): each walks over its own reduced elements [begin, end).
template <typename Op>
void piece_along_reduced(const Problem& p, int64_t kept0, int64_t kept1, int64_t begin, int64_t end,
                         double* partial) noexcept {
  const int64_t step = p.reduced.inner_step(0);
  const int64_t kept_step = p.kept.inner_step(0);
  int64_t j = 0;
  walk_runs(p.kept, kept0, kept1, [&](const int64_t* kept_offset, int64_t n) noexcept {
    for (int64_t i = 0; i < n; ++i, ++j) {
      const float* x = p.x + kept_offset[0] + i * kept_step;
      double result = Op::kStart;
      walk_runs(p.reduced, begin, end, [&](const int64_t* offset, int64_t length) noexcept {
        result = reduce_run<Op>(x + offset[0], step, length, result);
      });
      partial[j] = result;
    }
  });
}

/// As above where kept elements are contiguous: lanes are kept elements, bursts of reduced ones join in floats.
template <typename Op>
void piece_along_kept(const Problem& p, int64_t kept0, int64_t kept1, int64_t begin, int64_t end,
                      double* partial) noexcept {
  const int64_t step = p.reduced.inner_step(0);
  const Floats empty = broadcast(static_cast<float>(Op::kEmptyLane));
  for (int64_t j = 0; j < kept1 - kept0; ++j) partial[j] = Op::kStart;
  int64_t done = 0;
  walk_runs(p.kept, kept0, kept1, [&](const int64_t* kept_offset, int64_t n) noexcept {
    const float* base = p.x + kept_offset[0];
    double* out = partial + done;
    done += n;
    walk_runs(p.reduced, begin, end, [&](const int64_t* offset, int64_t length) noexcept {
      for (int64_t first = 0; first < length; first += kBurst) {
        const int64_t last = smaller(first + kBurst, length);
        for (int64_t i = 0; i < n; i += kLanes) {
          const int64_t count = smaller<int64_t>(kLanes, n - i);
          const float* x = base + offset[0] + i;
          Floats joined = empty;
          if (count == kLanes) {
            for (int64_t r = first; r < last; ++r) joined = Op::join(joined, load(x + r * step));
          } else {
            for (int64_t r = first; r < last; ++r) joined = Op::join(joined, load_partial(x + r * step, count));
          }
          for (int64_t lane = 0; lane < count; ++lane) {
            out[i + lane] = Op::join(out[i + lane], static_cast<double>(joined[lane]));
          }
        }
      }
    });
  });
}

template <typename Op>
Status run(const Problem& p, double scale, float* out) noexcept {
  const int64_t pieces = larger<int64_t>(1, ceil_div(p.reduced.count, kPiece));
  // Many kept elements with few reduced ones each share a chunk.
  const int64_t tile = larger(kKeptTile, kElementGrain / larger<int64_t>(1, p.reduced.count));
  const int64_t tiles = ceil_div(p.kept.count, tile);
  const bool along_kept = p.kept.inner_step(0) == 1 && p.kept.inner() > 1 && p.reduced.inner_step(0) != 1;
  Scratch scratch(2 * pieces * p.kept.count);
  if (!scratch.ok()) return Status::kOutOfMemory;
  double* partials = reinterpret_cast<double*>(scratch.data());  // (pieces, kept)
  for_chunks(pieces * tiles, worker_limit(), [&](int64_t chunk, int32_t) noexcept {
    const int64_t piece = chunk / tiles;
    const int64_t kept0 = (chunk % tiles) * tile;
    const int64_t kept1 = smaller(kept0 + tile, p.kept.count);
    const int64_t begin = piece * kPiece;
    const int64_t end = smaller(begin + kPiece, p.reduced.count);
    double* partial = partials + piece * p.kept.count + kept0;
    if (along_kept) {
      piece_along_kept<Op>(p, kept0, kept1, begin, end, partial);
    } else {
      piece_along_reduced<Op>(p, kept0, kept1, begin, end, partial);
    }
  });
  for_ranges(p.kept.count, kElementGrain, [&](int64_t begin, int64_t end) noexcept {
    for (int64_t j = begin; j < end; ++j) {
      double result = partials[j];
      for (int64_t piece = 1; piece < pieces; ++piece) result = Op::join(result, partials[piece * p.kept.count + j]);
      out[j] = static_cast<float>(result * scale);
    }
  });
  return Status::kOk;
}

}  // namespace

Status reduce(const ReduceArgs& args) noexcept {
  if (!valid_shape(args.shape)) return Status::kBadArgument;
  Shape kept;
  Shape reduced;
  Strides kept_strides;
  Strides reduced_strides;
  for (int32_t axis = 0; axis < args.shape.rank; ++axis) {
    const bool is_reduced = (args.axes >> axis & 1u) != 0;
    Shape& shape = is_reduced ? reduced : kept;
    (is_reduced ? reduced_strides : kept_strides).step[shape.rank] = args.x_strides.step[axis];
    shape.size[shape.rank++] = args.shape.size[axis];
  }
  const Problem problem = {collapse<1>(kept, {&kept_strides}), collapse<1>(reduced, {&reduced_strides}), args.x};
  if (problem.kept.count == 0) return Status::kOk;
  if (args.out == nullptr || (args.x == nullptr && problem.reduced.count > 0)) return Status::kBadArgument;
  switch (args.op) {
    case ReduceOp::kSum:
      return run<Sum>(problem, 1, args.out);
    case ReduceOp::kMean:
      // 0 * (1/0) = NaN for the mean of nothing
      return run<Sum>(problem, 1 / static_cast<double>(problem.reduced.count), args.out);
    case ReduceOp::kMax:
      return run<Max>(problem, 1, args.out);
  }
  return Status::kBadArgument;
}

Status argmax(const ArgmaxArgs& args) noexcept {
  const Status checked = check_argmax(args);
  if (checked != Status::kOk || args.rows == 0) return checked;
  for_ranges(args.rows, larger<int64_t>(1, kElementGrain / args.dim), [&](int64_t begin, int64_t end) noexcept {
    for (int64_t row = begin; row < end; ++row) {
      const float* x = args.x + row * args.x_row_stride;
      Floats best = load_partial(x, smaller<int64_t>(kLanes, args.dim));
      Ints best_at = iota();
      for (int64_t i = kLanes; i + kLanes <= args.dim; i += kLanes) {
        const Floats v = load(x + i);
        // not (v <= best) also holds for a NaN in v; a lane that holds a NaN keeps it
        const Ints take = ~(v <= best) & (best == best);
        best = select(take, v, best);
        best_at = select(take, broadcast(static_cast<int32_t>(i)) + iota(), best_at);
      }
      int32_t found = 0;
      float largest = x[0];
      const auto consider = [&](float v, int32_t at) {
        const bool both_nan = v != v && largest != largest;
        const bool wins = (v > largest) || (v != v && largest == largest);
        const bool ties = v == largest || both_nan;
        if (wins || (ties && at < found)) {
          largest = v;
          found = at;
        }
      };
      const int64_t lanes = smaller<int64_t>(kLanes, args.dim);
      for (int64_t lane = 0; lane < lanes; ++lane) consider(best[lane], best_at[lane]);
      for (int64_t i = larger<int64_t>(kLanes, args.dim / kLanes * kLanes); i < args.dim; ++i) {
        consider(x[i], static_cast<int32_t>(i));
      }
      args.out[row] = found;
    }
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS

/// Sum, mean and maximum over any axes. Oracle: packages/ssd-core/src/ops/reduce.
///
/// The axes split into kept and reduced ones. A block takes some kept elements and a piece of the reduced ones; its threads
/// lie along whichever is contiguous, and each joins every n-th element of the piece, in double. Where there are several
/// pieces, the same kernel joins what they left.
#include "reduce.h"

#include "elementwise_map.h"
#include "kernels.h"
#include "row_team.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 256;

/// Elements that a thread joins at least, and blocks from which on there are enough of them.
constexpr int64_t kLeastPerThread = 32;
constexpr int64_t kManyBlocks = 4096;

template <typename Value>
struct Reduction {
  Walk<1> kept;
  Walk<1> reduced;
  const Value* x;
  /// Whether neighbouring threads take neighbouring kept elements.
  bool along_kept;
  /// Threads of a block for one kept element; a power of two.
  int lanes;
  int64_t piece;
  /// (pieces, kept), or null when there is one piece.
  double* partials;
  double scale;
  float* out;

  __host__ __device__ int64_t pieces() const {
    return reduced.count <= piece ? 1 : ceil_divide(reduced.count, piece);
  }
  __host__ __device__ int64_t kept_blocks() const {
    return ceil_divide<int64_t>(kept.count, kThreads / lanes);
  }
};

struct Partials {
  double value[kThreads];
};

struct Sum : JoinSums {
  static __device__ double start() { return 0; }
};
struct Max : JoinMaxima {
  static __device__ double start() { return -kInfinity; }
};

/// kOneAxis: the reduced elements are equally far apart.
template <typename Join, typename Value, bool kOneAxis>
__global__ void __launch_bounds__(kThreads) reduce_kernel(const Reduction<Value> work) {
  auto& shared = shared_memory<Partials>();
  const Join join;
  const int kept_lanes = kThreads / work.lanes, thread = static_cast<int>(threadIdx.x);
  const int lane = work.along_kept ? thread / kept_lanes : thread % work.lanes;
  const int place = work.along_kept ? thread % kept_lanes : thread / work.lanes;
  const int apart = work.along_kept ? kept_lanes : 1;
  const int64_t blocks = work.kept_blocks(), items = blocks * work.pieces();
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t piece = item / blocks, kept = item % blocks * kept_lanes + place;
    double result = Join::start();
    if (kept < work.kept.count) {
      const Value* const x = work.x + offsets_at(work.kept, kept).at[0];
      const int64_t begin = piece * work.piece, left = work.reduced.count - begin;
      const int64_t end = begin + (left < work.piece ? left : work.piece);
#pragma unroll 4
      for (int64_t i = begin + lane; i < end; i += work.lanes) {
        const int64_t offset = kOneAxis ? i * work.reduced.step[0][0] : offsets_at(work.reduced, i).at[0];
        result = join(result, static_cast<double>(x[offset]));
      }
    }
    shared.value[thread] = result;
    __syncthreads();
    for (int half = work.lanes / 2; half > 0; half /= 2) {
      if (lane < half) shared.value[thread] = join(shared.value[thread], shared.value[thread + half * apart]);
      __syncthreads();
    }
    if (lane != 0 || kept >= work.kept.count) continue;
    if (work.partials != nullptr) {
      work.partials[piece * work.kept.count + kept] = shared.value[thread];
    } else {
      work.out[kept] = static_cast<float>(shared.value[thread] * work.scale);
    }
  }
}

int64_t power_of_two_from(int64_t least) {
  int64_t power = 1;
  while (power < least && power < kThreads) power *= 2;
  return power;
}

template <typename Value>
void plan(Reduction<Value>& work) {
  const int64_t kept = work.kept.count, reduced = work.reduced.count;
  work.along_kept = work.kept.inner_step(0) == 1 && work.kept.inner() > 1 && work.reduced.inner_step(0) != 1;
  int64_t lanes = power_of_two_from(ceil_divide<int64_t>(reduced, 4));
  if (work.along_kept) {
    // At least a whole line of kept elements where there are so many.
    const int64_t line = kThreads / power_of_two_from(kept < kWarpSize ? kept : kWarpSize);
    if (lanes > line) lanes = line;
  }
  work.lanes = static_cast<int>(lanes);
  work.piece = lanes * kLeastPerThread;
  while (work.pieces() > 1 && work.pieces() * work.kept_blocks() > kManyBlocks) work.piece *= 2;
}

template <typename Join, typename Value>
Status launch_reduction(const Reduction<Value>& work) {
  const GridShape grid = {blocks_for(work.kept_blocks() * work.pieces()), kThreads,
                          static_cast<int64_t>(sizeof(Partials))};
  // Of no axis there is one element, at 0.
  return work.reduced.rank <= 1 ? launch(reduce_kernel<Join, Value, true>, grid, work)
                                : launch(reduce_kernel<Join, Value, false>, grid, work);
}

/// The last stage: (parts, count) joined over the parts.
template <typename Join>
Status join_partials(const double* partials, int64_t parts, int64_t count, double scale, float* out) {
  Reduction<double> work = {};
  work.kept.rank = work.reduced.rank = 1;
  work.kept.count = work.kept.size[0] = count;
  work.reduced.count = work.reduced.size[0] = parts;
  work.kept.step[0][0] = 1;
  work.reduced.step[0][0] = count;
  work.x = partials;
  work.scale = scale;
  work.out = out;
  plan(work);
  work.piece = parts;
  return launch_reduction<Join>(work);
}

template <typename Join>
Status run(Reduction<float> work) {
  plan(work);
  if (work.pieces() == 1) return launch_reduction<Join>(work);
  DeviceScratch scratch;
  work.partials = scratch.take<double>(work.pieces() * work.kept.count);
  if (work.partials == nullptr) return scratch.status();
  const Status status = launch_reduction<Join>(work);
  if (status != Status::kOk) return status;
  return join_partials<Join>(work.partials, work.pieces(), work.kept.count, work.scale, work.out);
}

}  // namespace

Status sum_partials(const double* partials, int64_t parts, int64_t count, float* out) noexcept {
  return count == 0 ? Status::kOk : join_partials<Sum>(partials, parts, count, 1.0, out);
}

Status reduce(const ReduceArgs& args) noexcept {
  if (!valid_shape(args.shape)) return Status::kBadArgument;
  Shape kept, reduced;
  Strides kept_strides, reduced_strides;
  for (int32_t axis = 0; axis < args.shape.rank; ++axis) {
    const bool is_reduced = (args.axes >> axis & 1u) != 0;
    Shape& shape = is_reduced ? reduced : kept;
    (is_reduced ? reduced_strides : kept_strides).step[shape.rank] = args.x_strides.step[axis];
    shape.size[shape.rank++] = args.shape.size[axis];
  }
  Reduction<float> work = {};
  work.kept = collapse<1>(kept, {&kept_strides});
  work.reduced = collapse<1>(reduced, {&reduced_strides});
  work.x = args.x;
  work.scale = 1;
  work.out = args.out;
  if (work.kept.count == 0) return Status::kOk;
  if (args.out == nullptr || (args.x == nullptr && work.reduced.count > 0)) return Status::kBadArgument;
  switch (args.op) {
    case ReduceOp::kSum:
      return run<Sum>(work);
    case ReduceOp::kMean:
      // 0 * (1/0) = NaN for the mean of nothing
      work.scale = 1 / static_cast<double>(work.reduced.count);
      return run<Sum>(work);
    case ReduceOp::kMax:
      return run<Max>(work);
  }
  return Status::kBadArgument;
}

}  // namespace statespace::cuda

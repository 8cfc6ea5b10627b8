/// Row lookup and its transpose. Oracle: packages/ssd-core/src/ops/embedding.
///
/// The transpose sorts positions by their ids. The threads of the first position of an id add all of its rows, in order.
#include "dense_checks.h"
#include "device_indices.h"
#include "kernels.h"
#include "launch.h"
#include "stable_sort.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 256;

/// Blocks are cut into groups of `lanes` threads, each for some columns of one position.
struct RowLanes {
  int lanes;
  int64_t column_blocks;
  int64_t row_blocks;

  RowLanes(int64_t rows, int64_t dim) : lanes(kWarpSize) {
    while (lanes < kThreads && lanes < dim) lanes *= 2;
    column_blocks = ceil_divide<int64_t>(dim, lanes);
    row_blocks = ceil_divide<int64_t>(rows, kThreads / lanes);
  }
  __host__ __device__ int64_t items() const { return row_blocks * column_blocks; }
  __device__ int64_t row(int64_t item) const {
    return item / column_blocks * (kThreads / lanes) + static_cast<int>(threadIdx.x) / lanes;
  }
  __device__ int64_t column(int64_t item) const {
    return item % column_blocks * lanes + (static_cast<int>(threadIdx.x) & (lanes - 1));
  }
};

__global__ void __launch_bounds__(kThreads)
    embedding_kernel(const EmbeddingArgs args, const RowLanes rows, const int32_t* refused) {
  if (is_refused(refused)) return;
  for (int64_t item = blockIdx.x; item < rows.items(); item += gridDim.x) {
    const int64_t m = rows.row(item), column = rows.column(item);
    if (m >= args.count || column >= args.dim) continue;
    args.out[m * args.dim + column] = args.weight[args.ids[m] * args.dim + column];
  }
}

/// The end of the run of entries that begins at `at` of `order` and names one id.
__device__ __forceinline__ int64_t end_of_id(const EmbeddingBackwardArgs& args, const int32_t* order, int64_t at) {
  const int32_t id = args.ids[order[at]];
  int64_t low = at, high = args.count;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (args.ids[order[middle]] == id ? low : high) = middle;
  }
  return high;
}

__global__ void __launch_bounds__(kThreads)
    embedding_backward_kernel(const EmbeddingBackwardArgs args, const RowLanes rows, const int32_t* order,
                              const int32_t* refused) {
  if (is_refused(refused)) return;
  for (int64_t item = blockIdx.x; item < rows.items(); item += gridDim.x) {
    const int64_t at = rows.row(item), column = rows.column(item);
    if (at >= args.count || column >= args.dim) continue;
    const int32_t id = args.ids[order[at]];
    if (at > 0 && args.ids[order[at - 1]] == id) continue;
    const int64_t end = end_of_id(args, order, at);
    float* const to = args.grad_weight + id * args.dim + column;
    float sum = *to;
#pragma unroll 4
    for (int64_t i = at; i < end; ++i) sum += args.grad_out[order[i] * args.dim + column];
    *to = sum;
  }
}

}  // namespace

Status embedding(const EmbeddingArgs& args) noexcept {
  const Status checked = check_embedding(args);
  if (checked != Status::kOk || args.count == 0 || args.dim == 0) return checked;
  IndexCheck check;
  const Status status = check.queue({{args.ids, args.count, 0, args.vocab}});
  if (status != Status::kOk) return status;
  const RowLanes rows(args.count, args.dim);
  return launch(embedding_kernel, {blocks_for(rows.items()), kThreads, 0}, args, rows, check.refused());
}

Status embedding_backward(const EmbeddingBackwardArgs& args) noexcept {
  const Status checked = check_embedding_backward(args);
  if (checked != Status::kOk || args.count == 0 || args.dim == 0) return checked;
  IndexCheck check;
  Status status = check.queue({{args.ids, args.count, 0, args.vocab}});
  StableSort sorted;
  if (status == Status::kOk) status = sorted.queue(args.ids, args.count, args.vocab);
  if (status != Status::kOk) return status;
  const RowLanes rows(args.count, args.dim);
  return launch(embedding_backward_kernel, {blocks_for(rows.items()), kThreads, 0}, args, rows, sorted.positions(),
                check.refused());
}

}  // namespace statespace::cuda

/// Output head fused with its cross-entropy: loss, hits and gradients of
///   loss = mean over counted rows of (log sum_v exp(l_mv) - l_m,target),   l = x weight^T + bias.
/// Oracle: packages/ssd-core/src/ops/linear-cross-entropy.
///
/// Rows are taken in blocks whose logits fit a fixed scratch: product, losses and gradient in place of the logits, then
/// the products with the gradient. Ignored rows become zero rows of x. Nothing waits for the host: how many rows count
/// stays on the device.
#include <climits>

#include "device_indices.h"
#include "gemm.h"
#include "kernels.h"
#include "launch.h"
#include "row_summary.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 256;

/// Logits at a time, unless kFewestRows rows are more. Under emulation few, so that small tests take several blocks.
#if defined(__CUDACC__)
constexpr int64_t kTileLogits = int64_t{1} << 24;
#else
constexpr int64_t kTileLogits = int64_t{1} << 15;
#endif
constexpr int64_t kFewestRows = 64;

/// Rows [first, first + count) of the call.
struct RowBlock {
  int64_t first;
  int64_t count;
};

/// What the kernels share.
struct HeadMemory {
  const int32_t* refused;
  int64_t* counted;  // (1)
  float* losses;     // (rows)
  float* hits;       // (rows): 1 where the first largest logit is the target's
  float* x;          // (T, dim)
  float* logits;     // (T, vocab), then their gradient
};

template <typename Value>
struct ThreadValues {
  Value values[kThreads];
};

/// The sum over the block, the same in every thread. Its memory may be used again right away.
template <typename Value>
__device__ __forceinline__ Value sum_in_block(Value own, ThreadValues<Value>& memory) {
  memory.values[threadIdx.x] = own;
  for (unsigned half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) memory.values[threadIdx.x] += memory.values[threadIdx.x + half];
  }
  __syncthreads();
  const Value sum = memory.values[0];
  __syncthreads();
  return sum;
}

/// One block.
__global__ void __launch_bounds__(kThreads)
    count_targets_kernel(const LinearCrossEntropyArgs args, const HeadMemory memory) {
  int64_t own = 0;
  for (int64_t row = threadIdx.x; row < args.rows; row += kThreads) own += args.targets[row] != args.ignore_index;
  const int64_t sum = sum_in_block(own, shared_memory<ThreadValues<int64_t>>());
  if (threadIdx.x == 0) *memory.counted = sum;
}

__global__ void __launch_bounds__(kThreads)
    counted_rows_kernel(const LinearCrossEntropyArgs args, const HeadMemory memory, const RowBlock block) {
  const int64_t entries = block.count * args.dim, threads = gridDim.x * int64_t{kThreads};
  for (int64_t i = blockIdx.x * int64_t{kThreads} + threadIdx.x; i < entries; i += threads) {
    const int64_t row = block.first + i / args.dim;
    const bool counts = args.targets[row] != args.ignore_index && !is_refused(memory.refused);
    memory.x[i] = counts ? args.x[row * args.x_row_stride + i % args.dim] : 0.0f;
  }
}

/// A block for each row: its loss, whether it is a hit, and the gradient in the place of the logits if that is wanted.
__global__ void __launch_bounds__(kThreads)
    head_rows_kernel(const LinearCrossEntropyArgs args, const HeadMemory memory, const RowBlock block,
                     const bool with_gradient) {
  auto& summaries = shared_memory<WarpSummaries<kThreads>>();
  const auto vocab = static_cast<int32_t>(args.vocab);
  // The gradient of a refused call is 0, with which the products that follow change nothing.
  const bool refused = is_refused(memory.refused);
  for (int64_t m = blockIdx.x; m < block.count; m += gridDim.x) {
    float* const logits = memory.logits + m * args.vocab;
    const int32_t target = args.targets[block.first + m];
    const bool counts = target != args.ignore_index && !refused;
    const float target_logit = counts ? logits[target] : 0.0f;
    RowSummary row;
    for (int32_t v = static_cast<int32_t>(threadIdx.x); v < vocab; v += kThreads) add_value(row, logits[v], v);
    row = merge_in_block(row, summaries);
    if (threadIdx.x == 0) {
      memory.losses[block.first + m] = counts ? row.largest - target_logit + logf(row.sum) : 0.0f;
      memory.hits[block.first + m] = counts && row.place == target ? 1.0f : 0.0f;
    }
    if (with_gradient) {
      const float scale = 1.0f / static_cast<float>(*memory.counted);
      for (int32_t v = static_cast<int32_t>(threadIdx.x); v < vocab; v += kThreads) {
        const float probability = expf(logits[v] - row.largest) / row.sum;
        logits[v] = counts ? (probability - (v == target ? 1.0f : 0.0f)) * scale : 0.0f;
      }
    }
    __syncthreads();
  }
}

__global__ void __launch_bounds__(kThreads)
    grad_bias_kernel(const LinearCrossEntropyArgs args, const HeadMemory memory, const RowBlock block) {
  if (is_refused(memory.refused)) return;
  const int64_t threads = gridDim.x * int64_t{kThreads};
  for (int64_t v = blockIdx.x * int64_t{kThreads} + threadIdx.x; v < args.vocab; v += threads) {
    float sum = 0.0f;
    for (int64_t m = 0; m < block.count; ++m) sum += memory.logits[m * args.vocab + v];
    args.grad_bias[v] = block.first == 0 ? sum : args.grad_bias[v] + sum;
  }
}

/// One block.
__global__ void __launch_bounds__(kThreads)
    head_totals_kernel(const LinearCrossEntropyArgs args, const HeadMemory memory) {
  if (is_refused(memory.refused)) return;
  auto& values = shared_memory<ThreadValues<double>>();
  double losses = 0.0, hits = 0.0;
  for (int64_t row = threadIdx.x; row < args.rows; row += kThreads) {
    losses += static_cast<double>(memory.losses[row]);
    hits += static_cast<double>(memory.hits[row]);
  }
  losses = sum_in_block(losses, values);
  hits = sum_in_block(hits, values);
  if (threadIdx.x != 0) return;
  const int64_t counted = *memory.counted;
  *args.loss = counted == 0 ? 0.0f : static_cast<float>(losses / static_cast<double>(counted));
  if (args.correct != nullptr) *args.correct = static_cast<float>(hits);
}

Status check(const LinearCrossEntropyArgs& args) {
  if (args.rows < 0 || args.dim < 0 || args.vocab < 1 || args.vocab > INT32_MAX - kThreads) return Status::kBadArgument;
  if (args.loss == nullptr || args.weight == nullptr) return Status::kBadArgument;
  if (args.rows > 0 && (args.x == nullptr || args.targets == nullptr)) return Status::kBadArgument;
  return Status::kOk;
}

/// Row-major product without strides beyond its sizes.
GemmArgs product(int64_t m, int64_t n, int64_t k, const float* a, bool transpose_a, const float* b, bool transpose_b,
                 float* out) {
  GemmArgs args;
  args.m = m;
  args.n = n;
  args.k = k;
  args.a = a;
  args.transpose_a = transpose_a;
  args.a_row_stride = transpose_a ? m : k;
  args.b = b;
  args.transpose_b = transpose_b;
  args.b_row_stride = transpose_b ? k : n;
  args.out = out;
  args.out_row_stride = n;
  return args;
}

Status run_block(const LinearCrossEntropyArgs& args, const HeadMemory& memory, const RowBlock& block) {
  const GridShape elements = {blocks_for(ceil_divide<int64_t>(block.count * args.dim, kThreads)), kThreads, 0};
  Status status = launch(counted_rows_kernel, elements, args, memory, block);
  if (status != Status::kOk) return status;
  GemmArgs logits = product(block.count, args.vocab, args.dim, memory.x, false, args.weight, true, memory.logits);
  logits.bias = args.bias;
  status = gemm(logits);
  if (status != Status::kOk) return status;
  const bool with_gradient = args.grad_x != nullptr || args.grad_weight != nullptr || args.grad_bias != nullptr;
  const GridShape by_row = {blocks_for(block.count), kThreads, sizeof(WarpSummaries<kThreads>)};
  status = launch(head_rows_kernel, by_row, args, memory, block, with_gradient);
  if (status == Status::kOk && args.grad_x != nullptr) {
    status = gemm_unless(memory.refused, product(block.count, args.dim, args.vocab, memory.logits, false, args.weight,
                                                 false, args.grad_x + block.first * args.dim));
  }
  if (status == Status::kOk && args.grad_weight != nullptr) {
    GemmArgs weight =
        product(args.vocab, args.dim, block.count, memory.logits, true, memory.x, false, args.grad_weight);
    weight.accumulate = block.first > 0;
    status = gemm_unless(memory.refused, weight);
  }
  if (status == Status::kOk && args.grad_bias != nullptr) {
    const GridShape grid = {blocks_for(ceil_divide<int64_t>(args.vocab, kThreads)), kThreads, 0};
    status = launch(grad_bias_kernel, grid, args, memory, block);
  }
  return status;
}

/// The gradients of no rows.
Status clear_gradients(const LinearCrossEntropyArgs& args) {
  Status status = Status::kOk;
  if (args.grad_weight != nullptr) {
    status = clear_device(args.grad_weight, static_cast<size_t>(args.vocab * args.dim) * sizeof(float));
  }
  if (status == Status::kOk && args.grad_bias != nullptr) {
    status = clear_device(args.grad_bias, static_cast<size_t>(args.vocab) * sizeof(float));
  }
  return status;
}

}  // namespace

Status linear_cross_entropy(const LinearCrossEntropyArgs& args) noexcept {
  Status status = check(args);
  if (status != Status::kOk) return status;
  // Whole tiles of the products.
  const int64_t fit = kTileLogits / args.vocab / kFewestRows * kFewestRows;
  const int64_t most = fit > kFewestRows ? fit : kFewestRows, rows = args.rows < most ? args.rows : most;
  DeviceScratch counted, losses, x, logits;
  HeadMemory memory = {};
  memory.counted = counted.take<int64_t>(1);
  memory.losses = losses.take<float>(2 * args.rows);
  memory.hits = memory.losses + args.rows;
  memory.x = x.take<float>(rows * args.dim);
  memory.logits = logits.take<float>(rows * args.vocab);
  for (const DeviceScratch* scratch : {&counted, &losses, &x, &logits}) {
    if (scratch->status() != Status::kOk) return scratch->status();
  }
  IndexCheck indices;
  status = indices.queue({{args.targets, args.rows, 0, args.vocab, true, args.ignore_index}});
  if (status != Status::kOk) return status;
  memory.refused = indices.refused();
  status = launch(count_targets_kernel, {1, kThreads, sizeof(ThreadValues<int64_t>)}, args, memory);
  if (status == Status::kOk && args.rows == 0) status = clear_gradients(args);
  for (int64_t first = 0; first < args.rows && status == Status::kOk; first += rows) {
    const int64_t left = args.rows - first;
    status = run_block(args, memory, {first, left < rows ? left : rows});
  }
  if (status != Status::kOk) return status;
  return launch(head_totals_kernel, {1, kThreads, sizeof(ThreadValues<double>)}, args, memory);
}

}  // namespace statespace::cuda

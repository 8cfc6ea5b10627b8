#include "partial_sums.h"

#include "launch.h"
#include "storage.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 256;

__device__ float sum_at(const float* partials, int64_t parts, int64_t count, int64_t index, float sum = 0.0f) {
  for (int64_t part = 0; part < parts; ++part) sum += partials[part * count + index];
  return sum;
}

__global__ void __launch_bounds__(kThreads)
    sum_partials_kernel(const float* partials, int64_t parts, int64_t count, float* out, bool add) {
  for (int64_t i = blockIdx.x * int64_t{kThreads} + threadIdx.x; i < count; i += gridDim.x * int64_t{kThreads}) {
    out[i] = sum_at(partials, parts, count, i, add ? out[i] : 0.0f);
  }
}

__global__ void __launch_bounds__(kThreads)
    sum_sequence_partials_kernel(const float* partials, int64_t parts, int64_t count, int64_t seq_len, int64_t groups,
                                 int64_t width, SequenceTarget out, int floats) {
  for (int64_t i = blockIdx.x * int64_t{kThreads} + threadIdx.x; i < count; i += gridDim.x * int64_t{kThreads}) {
    const int64_t entry = i / floats, group = entry / width % groups, row = entry / (width * groups);
    const int64_t to = row_offset(out, row / seq_len, row % seq_len) + group * out.outer_stride +
                       entry % width * out.inner_stride + i % floats;
    store_entry<Format::kMixed>(out, to, sum_at(partials, parts, count, i));
  }
}

}  // namespace

Status sum_partials(const float* partials, int64_t parts, int64_t count, float* out, bool add) noexcept {
  if (out == nullptr) return Status::kOk;
  return launch(sum_partials_kernel, {blocks_for(ceil_divide<int64_t>(count, kThreads)), kThreads}, partials, parts,
                count, out, add);
}

Status sum_partials(const float* partials, int64_t parts, int64_t batch, int64_t seq_len, int64_t groups,
                    int64_t width, const SequenceTarget& out, int floats) noexcept {
  if (out.data == nullptr) return Status::kOk;
  const int64_t count = batch * seq_len * groups * width * floats;
  return launch(sum_sequence_partials_kernel, {blocks_for(ceil_divide<int64_t>(count, kThreads)), kThreads}, partials,
                parts, count, seq_len, groups, width, with_outer_stride(out, width), floats);
}

}  // namespace statespace::cuda

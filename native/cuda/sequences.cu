#include "sequences.h"

#include <new>

#include "launch.h"
#include "storage.h"

namespace statespace::cuda {
namespace {

constexpr int kThreads = 256;

/// A block for each range of padding.
__global__ void clear_padding_kernel(const StepRange* padding, int64_t count, SequenceTarget target, int64_t outer,
                                     int64_t inner) {
  for (int64_t i = blockIdx.x; i < count; i += gridDim.x) {
    const StepRange range = padding[i];
    const int64_t entries = (range.end - range.begin) * outer * inner;
    for (int64_t k = threadIdx.x; k < entries; k += blockDim.x) {
      const int64_t step = range.begin + k / (outer * inner), o = k / inner % outer;
      store_entry<Format::kMixed>(target,
                                  row_offset(target, range.batch, step) + o * target.outer_stride +
                                      k % inner * target.inner_stride,
                                  0.0f);
    }
  }
}

}  // namespace

Status DeviceSequences::copy(SequenceSpans& sequences, int64_t chunk, int64_t least) noexcept {
  const int64_t count = sequences.count;
  auto* spans = spans_.take<SequenceSpan>(count);
  auto* padding = padding_.take<StepRange>(sequences.padding_count);
  for (const DeviceScratch* scratch : {&spans_, &padding_}) {
    if (scratch->status() != Status::kOk) return scratch->status();
  }
  Status status = copy_to_device(spans, sequences.spans, static_cast<size_t>(count) * sizeof(SequenceSpan));
  if (status == Status::kOk && sequences.padding_count > 0) {
    status = copy_to_device(padding, sequences.padding,
                            static_cast<size_t>(sequences.padding_count) * sizeof(StepRange));
  }
  if (status == Status::kOk && chunk > 0 && count > 0) {
    auto* device = chunk_counts_.take<int64_t>(count);
    auto* host = new (std::nothrow) int64_t[static_cast<size_t>(count)];
    if (device == nullptr || host == nullptr) {
      delete[] host;
      return Status::kOutOfMemory;
    }
    int64_t before = 0;
    for (int64_t i = 0; i < count; ++i) {
      host[i] = before;
      before += chunks_of(sequences.spans[i].end - sequences.spans[i].begin, chunk, least);
    }
    status = copy_to_device(device, host, static_cast<size_t>(count) * sizeof(int64_t));
    delete[] host;
    chunks_ = {device, count, chunk, 0, before};
  }
  device_padding_ = padding;
  // A call without any sequence still has packed rows.
  static constexpr SequenceSpan kNone = {};
  sequences.spans = count > 0 ? spans : &kNone;
  sequences.padding = padding;
  return status;
}

Status DeviceSequences::clear_padding(const SequenceTarget& target, int64_t outer, int64_t inner) const noexcept {
  if (target.data == nullptr || host_.spans == nullptr || host_.padding_count == 0) return Status::kOk;
  return launch(clear_padding_kernel, {blocks_for(host_.padding_count), kThreads}, device_padding_,
                host_.padding_count, with_outer_stride(target, inner), outer, inner);
}

}  // namespace statespace::cuda

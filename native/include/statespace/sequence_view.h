/// A (batch, length, ...) input of a sequence kernel, possibly a slice of a wider tensor.
#pragma once

#include <cstdint>

#include "statespace/activation.h"

namespace statespace {

/// Element (b, t, i) lies at data[b * batch_stride + t * len_stride + i]; the axes behind `len` are contiguous.
/// Strides count elements and may be zero or negative. `data == nullptr` means that the tensor is absent.
struct SequenceView {
  const float* data = nullptr;
  int64_t batch_stride = 0;
  int64_t len_stride = 0;
};

/// Boundaries of packed sequences: `offsets[0..count]` ascends from 0 to seq_len, and batch must be 1.
/// `offsets == nullptr` means one sequence per batch row. State tensors then have `count` rows, else `batch`.
struct PackedSequences {
  const int32_t* offsets = nullptr;  // (count + 1)
  int64_t count = 0;
};

}  // namespace statespace

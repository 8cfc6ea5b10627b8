/// The tensors of sequence kernels, and the sequences that lie in them.
#pragma once

#include <cstdint>
#include <limits>

#include "statespace/activation.h"
#include "statespace/dtype.h"

namespace statespace {

/// The value of `outer_stride` that stands for an outer axis without gaps: the number of inner entries.
inline constexpr int64_t kPackedOuter = std::numeric_limits<int64_t>::min();

/// A (batch, length, outer, inner) input, such as (B, L, 1, D) or (B, L, H, P): element (b, t, o, i) lies at
/// data[b * batch_stride + t * len_stride + o * outer_stride + i * inner_stride]. Strides count elements and may be
/// zero or negative. `data == nullptr` means that the tensor is absent.
struct SequenceView {
  const void* data = nullptr;
  int64_t batch_stride = 0;
  int64_t len_stride = 0;
  int64_t outer_stride = kPackedOuter;
  int64_t inner_stride = 1;
  DType dtype = DType::kF32;
};

/// An output of the same form; no two elements share an address.
struct SequenceTarget {
  void* data = nullptr;
  int64_t batch_stride = 0;
  int64_t len_stride = 0;
  int64_t outer_stride = kPackedOuter;
  int64_t inner_stride = 1;
  DType dtype = DType::kF32;
};

/// Steps [begin, end) of one batch row that share a state.
struct SequenceSpan {
  int64_t batch;
  int64_t begin;
  int64_t end;
  /// Row of the state tensors that it starts from; -1: from zero.
  int64_t initial_row;
  /// Row of the state tensors that its last state goes to; -1: to none.
  int64_t final_row;
};

/// Steps [begin, end) of one batch row that belong to no sequence.
struct StepRange {
  int64_t batch;
  int64_t begin;
  int64_t end;
};

/// Where the sequences of a call lie. Spans ascend by row and step; spans and padding of a row do not overlap and together
/// cover it; each row of the state tensors begins and ends one span. Outputs and gradients of padding are 0. `spans == nullptr` means one
/// sequence per batch row, and state tensors of `batch` rows.
struct SequenceSpans {
  const SequenceSpan* spans = nullptr;
  int64_t count = 0;
  const StepRange* padding = nullptr;
  int64_t padding_count = 0;
  int64_t state_rows = 0;
};

}  // namespace statespace

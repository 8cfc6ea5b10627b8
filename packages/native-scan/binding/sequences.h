// Where the sequences of a call lie, as every sequence op takes it.
//
// Numbers: kind (0 one sequence per row, 1 cuSeqlens, 2 seqIdx, 3 lengths), mirrored, entries of cuSeqlens less one.
// Array: cuSeqlens (S + 1), seqIdx (B, L) or lengths (B), i32; absent for kind 0. `mirrored` says that the views of the
// call run backwards in time: the indices are given in the order of memory.
#pragma once

#include "call.h"

namespace statespace::binding {

enum class SequenceKind : int32_t { kRows, kCuSeqlens, kSeqIdx, kLengths };

/// The numbers; the rows of state tensors follow from them.
struct SequencesHeader {
  SequenceKind kind = SequenceKind::kRows;
  bool mirrored = false;
  int64_t packed = 0;

  int64_t state_rows(int64_t batch) const { return kind == SequenceKind::kCuSeqlens ? packed : batch; }
};

SequencesHeader ReadSequencesHeader(Call& call, int64_t batch);

/// The indices, copied, checked and turned into spans that live as long as the call.
SequenceSpans ReadSequences(Call& call, const SequencesHeader& header, int64_t batch, int64_t seq_len);

}  // namespace statespace::binding

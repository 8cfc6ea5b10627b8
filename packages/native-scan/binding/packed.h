/// Sequence boundaries of packed rows, as every sequence kernel takes them.
#pragma once

#include "call.h"

namespace statespace::binding {

/// Number `sequences`: -1 for one sequence per row, else how many are packed.
struct PackedCount {
  int64_t sequences = -1;
  /// Rows of state tensors.
  int64_t rows(int64_t batch) const { return sequences < 0 ? batch : sequences; }
};

inline PackedCount ReadPackedCount(Call& call) {
  PackedCount packed{call.Integer()};
  if (packed.sequences < -1) call.Refuse(Refusal::kBadNumber);
  return packed;
}

/// The boundaries, i32 (S + 1), ascending from 0 to `seq_len`.
inline PackedSequences ReadBoundaries(Call& call, PackedCount packed, int64_t seq_len) {
  PackedSequences result;
  if (packed.sequences < 0) {
    call.Indices(0, false);
    return result;
  }
  const int32_t position = call.position();
  result.offsets = call.Indices(packed.sequences + 1);
  result.count = packed.sequences;
  if (result.offsets == nullptr) return result;
  bool ascending = result.offsets[0] == 0 && result.offsets[result.count] == seq_len;
  for (int64_t i = 0; i < result.count; ++i) ascending &= result.offsets[i] <= result.offsets[i + 1];
  if (!ascending) call.Refuse(Refusal::kBadNumber, position);
  return result;
}

}  // namespace statespace::binding

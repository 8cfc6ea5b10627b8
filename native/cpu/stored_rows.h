/// Rows of sequence tensors in any format and of any strides, from and to rows of Real (float or double).
///
/// Kernels compute on rows of floats. A tensor that has them in place is read where it lies; of any other tensor a
/// worker reads the rows of one chunk into its own memory, and writes those of outputs back, while they are in L1 or
/// L2: no copy of a whole tensor is made.
#pragma once

#include "sequence_rows.h"

namespace statespace::STATESPACE_ISA_NS {

/// Rows [begin, begin + steps) of one batch row, and in each the entries [first, first + count) of its outer and inner
/// axes taken as one; `inner` is the size of the inner axis.
struct RowRange {
  int64_t batch;
  int64_t begin;
  int64_t steps;
  int64_t first;
  int64_t count;
  int64_t inner;
};

/// to[t * to_step + i] = entry first + i of row begin + t.
template <typename Real>
void read_rows(const SequenceView& view, const RowRange& range, Real* to, int64_t to_step) noexcept;

/// The way back.
template <typename Real>
void write_rows(const Real* from, int64_t from_step, const SequenceTarget& target, const RowRange& range) noexcept;

/// Zeros in all rows of padding of a (B, L, outer, inner) output.
void clear_padding(const SequenceSpans& sequences, const SequenceTarget& target, int64_t outer,
                   int64_t inner) noexcept;

/// Zeros in a whole (B, L, outer, inner) output.
void clear_sequence(int64_t batch, int64_t seq_len, int64_t outer, int64_t inner,
                    const SequenceTarget& target) noexcept;

/// Writes a contiguous (B, L, outer, inner) tensor of Real to a target of any form.
template <typename Real>
void store_sequence(const Real* from, int64_t batch, int64_t seq_len, int64_t outer, int64_t inner,
                    const SequenceTarget& target) noexcept;

/// Room for rows of one tensor: none where it lies in place.
template <typename Tensor>
STATESPACE_INLINE int64_t staged_floats(const Tensor& tensor, int64_t outer, int64_t inner, int64_t rows,
                                        int64_t count) {
  return in_place(tensor, outer, inner) ? 0 : rows * round_up(count, kLanes);
}

}  // namespace statespace::STATESPACE_ISA_NS

// Where the sequences of a call lie, as every sequence op takes it.
//
// Numbers: kind (0 one sequence per row, 1 cuSeqlens, 2 seqIdx, 3 lengths), mirrored, entries of cuSeqlens less one.
// Array: cuSeqlens (S + 1), seqIdx (B, L) or lengths (B), i32; absent for kind 0. `mirrored` says that the views of the
// call run backwards in time: the indices are given in the order of memory.
#pragma once

#include "../arguments/sequences.h"
#include "call.h"

namespace statespace::binding {

/// The numbers.
inline arguments::SequencesHeader ReadSequencesHeader(Call& call) {
  arguments::SequencesHeader header;
  header.kind = static_cast<arguments::SequenceKind>(call.Choice(4));
  header.mirrored = call.Flag();
  header.packed = call.Size();
  return header;
}

}  // namespace statespace::binding

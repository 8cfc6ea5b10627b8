/// Arguments of the SSD scans.
///
/// Numbers: batch, seqLen, nHeads, headDim, dState, nGroups, chunkSize, dHasHeadDim, softplus, dtMin, dtMax, those of
/// sequences.h. Arrays: ../arguments/ssd_chunk_scan.h.
#pragma once

#include "../arguments/ssd_chunk_scan.h"
#include "call.h"
#include "sequences.h"

namespace statespace::binding {

template <typename Real>
arguments::SsdForm ReadSsdNumbers(Call& call, bool rate_per_state, SsdChunkScanInputsOf<Real>& a) {
  a.batch = call.Batch();
  a.seq_len = call.Size();
  a.n_heads = call.Size();
  a.head_dim = call.Size();
  a.d_state = call.Size();
  a.n_groups = call.Size();
  a.chunk_size = call.Size();
  a.d_has_head_dim = call.Flag();
  a.dt_softplus = call.Flag();
  a.dt_min = static_cast<Real>(call.Number());
  a.dt_max = static_cast<Real>(call.Number());
  return {rate_per_state, ReadSequencesHeader(call)};
}

template <typename Args, typename Real = float>
Args ReadSsdForward(Call& call, bool rate_per_state) {
  Args a;
  const arguments::SsdForm form = ReadSsdNumbers<Real>(call, rate_per_state, a);
  arguments::ReadSsdForward<Real>(call, form, a);
  return a;
}

template <typename Args, typename Real = float>
Args ReadSsdBackward(Call& call, bool rate_per_state) {
  Args a;
  const arguments::SsdForm form = ReadSsdNumbers<Real>(call, rate_per_state, a);
  arguments::ReadSsdBackward<Real>(call, form, a);
  return a;
}

}  // namespace statespace::binding

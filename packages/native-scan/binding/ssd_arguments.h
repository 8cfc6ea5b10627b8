/// Arguments of the SSD scans, with one decay per head, A (H), or one per head and state, A (H, N).
///
/// Numbers: batch, seqLen, nHeads, headDim, dState, nGroups, chunkSize, dHasHeadDim, softplus, dtMin, dtMax, sequences.
/// Arrays: x, dt, A, B, C, D?, z?, dtBias?, initialStates?, cuSeqlens?, then out, finalStates? or
/// gradOut, gradFinalStates?, gradX?, gradDt?, gradA?, gradB?, gradC?, gradD?, gradZ?, gradDtBias?,
/// gradInitialStates?. Sequences take two strides.
#pragma once

#include "call.h"
#include "packed.h"
#include "statespace/ssd_chunk_scan.h"

namespace statespace::binding {

struct SsdSizes {
  int64_t rates;
  int64_t states;
  int64_t skip;
  int64_t coefficients;
};

inline SsdSizes ReadSsdInputs(Call& call, SsdChunkScanInputs& a, bool rate_per_state) {
  a.batch = call.Size();
  a.seq_len = call.Size();
  a.n_heads = call.Size();
  a.head_dim = call.Size();
  a.d_state = call.Size();
  a.n_groups = call.Size();
  a.chunk_size = call.Size();
  if (a.chunk_size < 1) call.Refuse(Refusal::kBadNumber);
  a.d_has_head_dim = call.Flag();
  a.dt_softplus = call.Flag();
  a.dt_min = call.Float();
  a.dt_max = call.Float();
  const PackedCount packed = ReadPackedCount(call);
  const int64_t inner = call.Product({a.n_heads, a.head_dim});
  const int64_t coefficients = call.Product({a.n_groups, a.d_state});
  const SsdSizes sizes{rate_per_state ? call.Product({a.n_heads, a.d_state}) : a.n_heads,
                    call.Product({packed.rows(a.batch), inner, a.d_state}), a.d_has_head_dim ? inner : a.n_heads,
                    call.Product({a.batch, a.seq_len, coefficients})};
  if (!call.ok()) return sizes;

  a.x = call.Sequence(a.batch, a.seq_len, inner);
  a.dt = call.Sequence(a.batch, a.seq_len, a.n_heads);
  a.A = call.In(sizes.rates);
  a.B = call.Sequence(a.batch, a.seq_len, coefficients);
  a.C = call.Sequence(a.batch, a.seq_len, coefficients);
  a.D = call.OptionalIn(sizes.skip);
  a.z = call.Sequence(a.batch, a.seq_len, inner, false);
  a.dt_bias = call.OptionalIn(a.n_heads);
  a.initial_states = call.OptionalIn(sizes.states);
  a.packed = ReadBoundaries(call, packed, a.seq_len);
  return sizes;
}

template <typename Args>
Args ReadSsdForward(Call& call, bool rate_per_state) {
  Args a;
  const SsdSizes sizes = ReadSsdInputs(call, a, rate_per_state);
  a.out = call.Out(call.Product({a.batch, a.seq_len, a.n_heads, a.head_dim}));
  a.final_states = call.OptionalOut(sizes.states);
  return a;
}

template <typename Args>
Args ReadSsdBackward(Call& call, bool rate_per_state) {
  Args a;
  const SsdSizes sizes = ReadSsdInputs(call, a, rate_per_state);
  const int64_t inner = call.Product({a.n_heads, a.head_dim});
  const int64_t sequence = call.Product({a.batch, a.seq_len, inner});
  a.grad_out = call.Sequence(a.batch, a.seq_len, inner);
  a.grad_final_states = call.OptionalIn(sizes.states);
  a.grad_x = call.OptionalOut(sequence);
  a.grad_dt = call.OptionalOut(call.Product({a.batch, a.seq_len, a.n_heads}));
  a.grad_A = call.OptionalOut(sizes.rates);
  a.grad_B = call.OptionalOut(sizes.coefficients);
  a.grad_C = call.OptionalOut(sizes.coefficients);
  a.grad_D = call.OptionalOut(sizes.skip);
  a.grad_z = call.OptionalOut(sequence);
  a.grad_dt_bias = call.OptionalOut(a.n_heads);
  a.grad_initial_states = call.OptionalOut(sizes.states);
  return a;
}

}  // namespace statespace::binding

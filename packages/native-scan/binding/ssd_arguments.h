/// Arguments of the SSD scans, with one decay per head, A (H), or one per head and state, A (H, N).
///
/// Numbers: batch, seqLen, nHeads, headDim, dState, nGroups, chunkSize, dHasHeadDim, softplus, dtMin, dtMax, those of
/// sequences.h.
/// Arrays: x, dt, A, B, C, D?, z?, dtBias?, initialStates?, sequences?, then out, finalStates? or
/// gradOut, gradFinalStates?, gradX?, gradDt?, gradA?, gradB?, gradC?, gradD?, gradZ?, gradDtBias?,
/// gradInitialStates?.
#pragma once

#include "call.h"
#include "sequences.h"
#include "statespace/ssd_chunk_scan.h"

namespace statespace::binding {

struct SsdSizes {
  SequenceSizes channels;
  SequenceSizes steps;
  SequenceSizes coefficients;
  int64_t rates;
  int64_t states;
  int64_t skip;
};

template <typename Real>
SsdSizes ReadSsdInputs(Call& call, SsdChunkScanInputsOf<Real>& a, bool rate_per_state) {
  a.batch = call.Batch();
  a.seq_len = call.Size();
  a.n_heads = call.Size();
  a.head_dim = call.Size();
  a.d_state = call.Size();
  a.n_groups = call.Size();
  a.chunk_size = call.Size();
  if (a.chunk_size < 1) call.Refuse(Refusal::kBadNumber);
  a.d_has_head_dim = call.Flag();
  a.dt_softplus = call.Flag();
  a.dt_min = static_cast<Real>(call.Number());
  a.dt_max = static_cast<Real>(call.Number());
  const SequencesHeader sequences = ReadSequencesHeader(call, a.batch);
  const int64_t inner = call.Product({a.n_heads, a.head_dim});
  SsdSizes sizes;
  sizes.channels = {a.batch, a.seq_len, a.n_heads, a.head_dim};
  sizes.steps = {a.batch, a.seq_len, 1, a.n_heads};
  sizes.coefficients = {a.batch, a.seq_len, a.n_groups, a.d_state};
  sizes.rates = rate_per_state ? call.Product({a.n_heads, a.d_state}) : a.n_heads;
  sizes.states = call.Product({sequences.state_rows(a.batch), inner, a.d_state});
  sizes.skip = a.d_has_head_dim ? inner : a.n_heads;
  if (!call.ok()) return sizes;

  a.x = call.Sequence(sizes.channels);
  a.dt = call.Sequence(sizes.steps);
  a.A = call.In<Real>(sizes.rates);
  a.B = call.Sequence(sizes.coefficients);
  a.C = call.Sequence(sizes.coefficients);
  a.D = call.OptionalIn<Real>(sizes.skip);
  a.z = call.Sequence(sizes.channels, false);
  a.dt_bias = call.OptionalIn<Real>(a.n_heads);
  a.initial_states = call.OptionalIn<Real>(sizes.states);
  a.sequences = ReadSequences(call, sequences, a.batch, a.seq_len);
  return sizes;
}

template <typename Args, typename Real = float>
Args ReadSsdForward(Call& call, bool rate_per_state) {
  Args a;
  const SsdSizes sizes = ReadSsdInputs<Real>(call, a, rate_per_state);
  a.out = call.SequenceOut(sizes.channels);
  a.final_states = call.OptionalOut<Real>(sizes.states);
  return a;
}

template <typename Args, typename Real = float>
Args ReadSsdBackward(Call& call, bool rate_per_state) {
  Args a;
  const SsdSizes sizes = ReadSsdInputs<Real>(call, a, rate_per_state);
  a.grad_out = call.Sequence(sizes.channels);
  a.grad_final_states = call.OptionalIn<Real>(sizes.states);
  a.grad_x = call.SequenceOut(sizes.channels, false);
  a.grad_dt = call.SequenceOut(sizes.steps, false);
  a.grad_A = call.OptionalOut<Real>(sizes.rates);
  a.grad_B = call.SequenceOut(sizes.coefficients, false);
  a.grad_C = call.SequenceOut(sizes.coefficients, false);
  a.grad_D = call.OptionalOut<Real>(sizes.skip);
  a.grad_z = call.SequenceOut(sizes.channels, false);
  a.grad_dt_bias = call.OptionalOut<Real>(a.n_heads);
  a.grad_initial_states = call.OptionalOut<Real>(sizes.states);
  return a;
}

}  // namespace statespace::binding

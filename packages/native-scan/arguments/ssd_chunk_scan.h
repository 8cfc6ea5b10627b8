/// Arrays of the SSD scans with one decay per head, A (H), or one per head and state, A (H, N), in order: x, dt, A, B, C,
/// D?, z?, dtBias?, initialStates?, sequences?, then out, finalStates? or gradOut, gradFinalStates?, gradX?, gradDt?,
/// gradA?, gradB?, gradC?, gradD?, gradZ?, gradDtBias?, gradInitialStates?.
#pragma once

#include "sequences.h"
#include "statespace/ssd_chunk_scan.h"

namespace statespace::arguments {

/// What an SSD scan is beside its sizes.
struct SsdForm {
  bool rate_per_state = false;
  SequencesHeader sequences;
};

/// Shapes that the arrays have.
struct SsdShapes {
  SequenceSizes channels;
  SequenceSizes steps;
  SequenceSizes coefficients;
  DenseShape rates;
  DenseShape skip;
  DenseShape bias;
  DenseShape states;
};

/// `a` has its sizes.
template <typename Real, typename Source>
SsdShapes ReadSsdInputs(Source& source, const SsdForm& form, SsdChunkScanInputsOf<Real>& a) {
  const int64_t H = a.n_heads, P = a.head_dim, N = a.d_state;
  if (a.chunk_size < 1) source.Refuse(Refusal::kBadNumber);
  SsdShapes shapes;
  shapes.channels = {a.batch, a.seq_len, H, P};
  shapes.steps = {a.batch, a.seq_len, 1, H};
  shapes.coefficients = {a.batch, a.seq_len, a.n_groups, N};
  shapes.rates = form.rate_per_state ? Dense(source, {H, N}) : Dense(source, {H});
  shapes.skip = a.d_has_head_dim ? Dense(source, {H, P}) : Dense(source, {H});
  shapes.bias = Dense(source, {H});
  shapes.states = Dense(source, {form.sequences.state_rows(a.batch), H, P, N});
  if (!source.ok()) return shapes;

  a.x = source.Sequence(shapes.channels);
  a.dt = source.Sequence(shapes.steps);
  a.A = source.template In<Real>(shapes.rates);
  a.B = source.Sequence(shapes.coefficients);
  a.C = source.Sequence(shapes.coefficients);
  a.D = source.template OptionalIn<Real>(shapes.skip);
  a.z = source.Sequence(shapes.channels, false);
  a.dt_bias = source.template OptionalIn<Real>(shapes.bias);
  a.initial_states = source.template OptionalIn<Real>(shapes.states);
  a.sequences = ReadSequences(source, form.sequences, a.batch, a.seq_len);
  return shapes;
}

/// `Args`: the forward arguments of either scan.
template <typename Real, typename Source, typename Args>
void ReadSsdForward(Source& source, const SsdForm& form, Args& a) {
  const SsdShapes shapes = ReadSsdInputs<Real>(source, form, a);
  a.out = source.SequenceOut(shapes.channels);
  a.final_states = source.template OptionalOut<Real>(shapes.states);
}

/// `Args`: the backward arguments of either scan.
template <typename Real, typename Source, typename Args>
void ReadSsdBackward(Source& source, const SsdForm& form, Args& a) {
  const SsdShapes shapes = ReadSsdInputs<Real>(source, form, a);
  a.grad_out = source.Sequence(shapes.channels);
  a.grad_final_states = source.template OptionalIn<Real>(shapes.states);
  a.grad_x = source.SequenceOut(shapes.channels, false);
  a.grad_dt = source.SequenceOut(shapes.steps, false);
  a.grad_A = source.template OptionalOut<Real>(shapes.rates);
  a.grad_B = source.SequenceOut(shapes.coefficients, false);
  a.grad_C = source.SequenceOut(shapes.coefficients, false);
  a.grad_D = source.template OptionalOut<Real>(shapes.skip);
  a.grad_z = source.SequenceOut(shapes.channels, false);
  a.grad_dt_bias = source.template OptionalOut<Real>(shapes.bias);
  a.grad_initial_states = source.template OptionalOut<Real>(shapes.states);
}

}  // namespace statespace::arguments

/// Arrays of the causal convolution, in order: x, weight, bias?, initialStates?, sequences?, then out, finalStates? or
/// gradOut, gradFinalStates?, gradX?, gradWeight?, gradBias?, gradInitialStates?.
#pragma once

#include "sequences.h"
#include "statespace/causal_conv1d.h"

namespace statespace::arguments {

/// Shapes that the arrays have.
struct ConvShapes {
  SequenceSizes channels;
  DenseShape weight;
  DenseShape bias;
  DenseShape states;
};

/// `a` has its sizes.
template <typename Real, typename Source>
ConvShapes ReadConvInputs(Source& source, const SequencesHeader& sequences, CausalConv1dInputsOf<Real>& a) {
  ConvShapes shapes;
  shapes.channels = {a.batch, a.seq_len, 1, a.dim};
  shapes.weight = Dense(source, {a.dim, a.width});
  shapes.bias = Dense(source, {a.dim});
  shapes.states = Dense(source, {sequences.state_rows(a.batch), a.dim, a.width - 1});
  if (!source.ok()) return shapes;

  a.x = source.Sequence(shapes.channels);
  a.weight = source.template In<Real>(shapes.weight);
  a.bias = source.template OptionalIn<Real>(shapes.bias);
  a.initial_states = source.template OptionalIn<Real>(shapes.states);
  a.sequences = ReadSequences(source, sequences, a.batch, a.seq_len);
  return shapes;
}

template <typename Real, typename Source>
void ReadConv(Source& source, const SequencesHeader& sequences, CausalConv1dArgsOf<Real>& a) {
  const ConvShapes shapes = ReadConvInputs<Real>(source, sequences, a);
  a.out = source.SequenceOut(shapes.channels);
  a.final_states = source.template OptionalOut<Real>(shapes.states);
}

template <typename Real, typename Source>
void ReadConv(Source& source, const SequencesHeader& sequences, CausalConv1dBackwardArgsOf<Real>& a) {
  const ConvShapes shapes = ReadConvInputs<Real>(source, sequences, a);
  a.grad_out = source.Sequence(shapes.channels);
  a.grad_final_states = source.template OptionalIn<Real>(shapes.states);
  a.grad_x = source.SequenceOut(shapes.channels, false);
  a.grad_weight = source.template OptionalOut<Real>(shapes.weight);
  a.grad_bias = source.template OptionalOut<Real>(shapes.bias);
  a.grad_initial_states = source.template OptionalOut<Real>(shapes.states);
}

}  // namespace statespace::arguments

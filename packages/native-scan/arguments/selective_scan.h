/// Arrays of the selective scan, in order: u, delta, A, B, C, D?, z?, deltaBias?, initialState?, sequences?, then out,
/// lastState? or gradOut, gradLastState?, gradU?, gradDelta?, gradA?, gradB?, gradC?, gradD?, gradZ?, gradDeltaBias?,
/// gradInitialState?, and last checkpoints?, absent unless f32 and real. A constant B or C has no groups and no strides.
/// Complex tensors hold pairs.
#pragma once

#include <type_traits>

#include "sequences.h"
#include "statespace/selective_scan.h"

namespace statespace::arguments {

/// What a scan is beside its sizes.
struct ScanForm {
  /// A, B, C and the states are complex.
  bool complex = false;
  SequencesHeader sequences;
};

/// Shapes that the arrays have.
struct ScanShapes {
  SequenceSizes channels;
  SequenceSizes B;
  SequenceSizes C;
  DenseShape rates;
  DenseShape skip;
  DenseShape states;
};

/// B or C: constant without groups.
template <typename Real, typename Source>
SequenceView ReadCoefficient(Source& source, const ScanShapes& shapes, const SequenceSizes& own) {
  if (own.outer > 0) return source.Sequence(own);
  SequenceView constant;
  constant.data = source.template In<Real>(shapes.rates);
  constant.inner_stride = own.pairs ? 2 : 1;
  constant.dtype = sizeof(Real) == sizeof(double) ? DType::kF64 : DType::kF32;
  return constant;
}

template <typename Real, typename Source>
SequenceTarget GradOfCoefficient(Source& source, const ScanShapes& shapes, const SequenceSizes& own) {
  if (own.outer > 0) return source.SequenceOut(own, false);
  SequenceTarget constant;
  constant.data = source.template OptionalOut<Real>(shapes.rates);
  constant.inner_stride = own.pairs ? 2 : 1;
  constant.dtype = sizeof(Real) == sizeof(double) ? DType::kF64 : DType::kF32;
  return constant;
}

/// `a` has its sizes.
template <typename Real, typename Source>
ScanShapes ReadScanInputs(Source& source, const ScanForm& form, SelectiveScanInputsOf<Real>& a) {
  if (a.dim > 0 && (a.b_groups > a.dim || a.c_groups > a.dim)) source.Refuse(Refusal::kBadNumber);
  ScanShapes shapes;
  shapes.channels = {a.batch, a.seq_len, 1, a.dim};
  shapes.B = {a.batch, a.seq_len, a.b_groups, a.d_state, form.complex};
  shapes.C = {a.batch, a.seq_len, a.c_groups, a.d_state, form.complex};
  shapes.rates = Dense(source, {a.dim, a.d_state}, form.complex);
  shapes.skip = Dense(source, {a.dim});
  shapes.states = Dense(source, {form.sequences.state_rows(a.batch), a.dim, a.d_state}, form.complex);
  if (!source.ok()) return shapes;

  a.u = source.Sequence(shapes.channels);
  a.delta = source.Sequence(shapes.channels);
  a.A = source.template In<Real>(shapes.rates);
  a.B = ReadCoefficient<Real>(source, shapes, shapes.B);
  a.C = ReadCoefficient<Real>(source, shapes, shapes.C);
  a.D = source.template OptionalIn<Real>(shapes.skip);
  a.z = source.Sequence(shapes.channels, false);
  a.delta_bias = source.template OptionalIn<Real>(shapes.skip);
  a.initial_state = source.template OptionalIn<Real>(shapes.states);
  a.sequences = ReadSequences(source, form.sequences, a.batch, a.seq_len);
  return shapes;
}

template <typename Real, typename Source>
void ReadScan(Source& source, const ScanForm& form, SelectiveScanArgsOf<Real>& a) {
  const ScanShapes shapes = ReadScanInputs<Real>(source, form, a);
  a.out = source.SequenceOut(shapes.channels);
  a.last_state = source.template OptionalOut<Real>(shapes.states);
}

template <typename Real, typename Source>
void ReadScan(Source& source, const ScanForm& form, SelectiveScanBackwardArgsOf<Real>& a) {
  const ScanShapes shapes = ReadScanInputs<Real>(source, form, a);
  a.grad_out = source.Sequence(shapes.channels);
  a.grad_last_state = source.template OptionalIn<Real>(shapes.states);
  a.grad_u = source.SequenceOut(shapes.channels, false);
  a.grad_delta = source.SequenceOut(shapes.channels, false);
  a.grad_A = source.template OptionalOut<Real>(shapes.rates);
  a.grad_B = GradOfCoefficient<Real>(source, shapes, shapes.B);
  a.grad_C = GradOfCoefficient<Real>(source, shapes, shapes.C);
  a.grad_D = source.template OptionalOut<Real>(shapes.skip);
  a.grad_z = source.SequenceOut(shapes.channels, false);
  a.grad_delta_bias = source.template OptionalOut<Real>(shapes.skip);
  a.grad_initial_state = source.template OptionalOut<Real>(shapes.states);
}

/// The array of checkpoints, (rows, N, D); refused where the kernel of these arguments keeps none. `a` is read otherwise.
template <typename Source, typename Args>
void ReadCheckpoints(Source& source, bool complex, int64_t rows, Args& a) {
  const DenseShape shape = Dense(source, {rows, a.d_state, a.dim});
  if (!source.ok()) return;
  const int32_t position = source.position();
  constexpr bool forward = std::is_same_v<Args, SelectiveScanArgs>;
  constexpr bool backward = std::is_same_v<Args, SelectiveScanBackwardArgs>;
  if constexpr (forward || backward) {
    if (!complex) {
      if constexpr (forward) {
        a.checkpoints = source.template OptionalOut<float>(shape);
        a.checkpoint_room = shape.count;
      } else {
        a.checkpoints = source.template OptionalIn<float>(shape);
      }
      const bool fits = a.checkpoints == nullptr || shape.count >= selective_scan_checkpoint_size(a);
      if (!fits) source.Refuse(Refusal::kOutOfRange, position);
      return;
    }
  }
  if (source.template OptionalIn<float>(Dense(source, {0})) != nullptr) source.Refuse(Refusal::kBadNumber, position);
}

}  // namespace statespace::arguments

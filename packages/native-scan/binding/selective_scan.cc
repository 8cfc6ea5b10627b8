// Numbers: real (0 f32, 1 f64), complex, batch, seqLen, dim, dState, bGroups, cGroups, softplus, those of sequences.h.
// Arrays: u, delta, A, B, C, D?, z?, deltaBias?, initialState?, sequences?, then out, lastState? or
// gradOut, gradLastState?, gradU?, gradDelta?, gradA?, gradB?, gradC?, gradD?, gradZ?, gradDeltaBias?,
// gradInitialState?. A constant B or C has bGroups or cGroups 0 and takes no strides. Complex tensors hold pairs.
#include "methods.h"
#include "sequences.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

/// Sizes that the arrays have.
struct ScanSizes {
  SequenceSizes channels;
  SequenceSizes B;
  SequenceSizes C;
  int64_t rates = 0;  // elements of A
  int64_t states = 0;
};

template <typename Real>
SequenceView ReadCoefficient(Call& call, const ScanSizes& sizes, const SequenceSizes& own) {
  if (own.outer > 0) return call.Sequence(own);
  SequenceView constant;
  constant.data = call.In<Real>(sizes.rates);
  constant.inner_stride = own.pairs ? 2 : 1;
  constant.dtype = sizeof(Real) == sizeof(double) ? DType::kF64 : DType::kF32;
  return constant;
}

template <typename Real>
SequenceTarget GradOfCoefficient(Call& call, const ScanSizes& sizes, const SequenceSizes& own) {
  if (own.outer > 0) return call.SequenceOut(own, false);
  SequenceTarget constant;
  constant.data = call.OptionalOut<Real>(sizes.rates);
  constant.inner_stride = own.pairs ? 2 : 1;
  constant.dtype = sizeof(Real) == sizeof(double) ? DType::kF64 : DType::kF32;
  return constant;
}

template <typename Real>
ScanSizes ReadInputs(Call& call, bool complex, SelectiveScanInputsOf<Real>& a) {
  a.batch = call.Batch();
  a.seq_len = call.Size();
  a.dim = call.Size();
  a.d_state = call.Choice(kSelectiveScanMaxState + 1);
  a.b_groups = call.Size();
  a.c_groups = call.Size();
  if (a.dim > 0 && (a.b_groups > a.dim || a.c_groups > a.dim)) call.Refuse(Refusal::kBadNumber);
  a.delta_softplus = call.Flag();
  const SequencesHeader sequences = ReadSequencesHeader(call, a.batch);
  const int64_t parts = complex ? 2 : 1;
  ScanSizes sizes;
  sizes.channels = {a.batch, a.seq_len, 1, a.dim};
  sizes.B = {a.batch, a.seq_len, a.b_groups, a.d_state, complex};
  sizes.C = {a.batch, a.seq_len, a.c_groups, a.d_state, complex};
  sizes.rates = call.Product({a.dim, a.d_state, parts});
  sizes.states = call.Product({sequences.state_rows(a.batch), a.dim, a.d_state, parts});
  if (!call.ok()) return sizes;

  a.u = call.Sequence(sizes.channels);
  a.delta = call.Sequence(sizes.channels);
  a.A = call.In<Real>(sizes.rates);
  a.B = ReadCoefficient<Real>(call, sizes, sizes.B);
  a.C = ReadCoefficient<Real>(call, sizes, sizes.C);
  a.D = call.OptionalIn<Real>(a.dim);
  a.z = call.Sequence(sizes.channels, false);
  a.delta_bias = call.OptionalIn<Real>(a.dim);
  a.initial_state = call.OptionalIn<Real>(sizes.states);
  a.sequences = ReadSequences(call, sequences, a.batch, a.seq_len);
  return sizes;
}

template <typename Real>
napi_value Forward(Call& call, bool complex, Status (*kernel)(const SelectiveScanArgsOf<Real>&) noexcept) {
  SelectiveScanArgsOf<Real> a;
  const ScanSizes sizes = ReadInputs(call, complex, a);
  a.out = call.SequenceOut(sizes.channels);
  a.last_state = call.OptionalOut<Real>(sizes.states);
  return call.Run(a, kernel);
}

template <typename Real>
napi_value Backward(Call& call, bool complex, Status (*kernel)(const SelectiveScanBackwardArgsOf<Real>&) noexcept) {
  SelectiveScanBackwardArgsOf<Real> a;
  const ScanSizes sizes = ReadInputs(call, complex, a);
  a.grad_out = call.Sequence(sizes.channels);
  a.grad_last_state = call.OptionalIn<Real>(sizes.states);
  a.grad_u = call.SequenceOut(sizes.channels, false);
  a.grad_delta = call.SequenceOut(sizes.channels, false);
  a.grad_A = call.OptionalOut<Real>(sizes.rates);
  a.grad_B = GradOfCoefficient<Real>(call, sizes, sizes.B);
  a.grad_C = GradOfCoefficient<Real>(call, sizes, sizes.C);
  a.grad_D = call.OptionalOut<Real>(a.dim);
  a.grad_z = call.SequenceOut(sizes.channels, false);
  a.grad_delta_bias = call.OptionalOut<Real>(a.dim);
  a.grad_initial_state = call.OptionalOut<Real>(sizes.states);
  return call.Run(a, kernel);
}

napi_value SelectiveScan(Call& call) {
  const bool wide = call.Choice(2) == 1, complex = call.Flag();
  const KernelTable& k = *cpu_kernels();
  if (wide) return Forward<double>(call, complex, complex ? k.selective_scan_c128 : k.selective_scan_f64);
  return Forward<float>(call, complex, complex ? k.selective_scan_c64 : k.selective_scan);
}

napi_value SelectiveScanBackward(Call& call) {
  const bool wide = call.Choice(2) == 1, complex = call.Flag();
  const KernelTable& k = *cpu_kernels();
  if (wide) {
    return Backward<double>(call, complex, complex ? k.selective_scan_backward_c128 : k.selective_scan_backward_f64);
  }
  return Backward<float>(call, complex, complex ? k.selective_scan_backward_c64 : k.selective_scan_backward);
}

constexpr Method kMethods[] = {
    {"selectiveScan", Sync<SelectiveScan>},
    {"selectiveScanAsync", Async<SelectiveScan>},
    {"selectiveScanBackward", Sync<SelectiveScanBackward>},
    {"selectiveScanBackwardAsync", Async<SelectiveScanBackward>},
};

}  // namespace

std::span<const Method> ScanMethods() { return kMethods; }

}  // namespace statespace::binding

// Numbers: real (0 f32, 1 f64), batch, seqLen, dim, width, activation, those of sequences.h.
// Arrays: x, weight, bias?, initialStates?, sequences?, then out, finalStates? or
// gradOut, gradFinalStates?, gradX?, gradWeight?, gradBias?, gradInitialStates?.
#include "methods.h"
#include "sequences.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

template <typename Real>
SequenceSizes Channels(const CausalConv1dInputsOf<Real>& a) {
  return {a.batch, a.seq_len, 1, a.dim};
}

/// Answers the size of state tensors.
template <typename Real>
int64_t ReadInputs(Call& call, CausalConv1dInputsOf<Real>& a) {
  a.batch = call.Batch();
  a.seq_len = call.Size();
  a.dim = call.Size();
  a.width = call.Choice(kCausalConv1dMaxWidth + 1);
  if (a.width < 1) call.Refuse(Refusal::kBadNumber);
  a.activation = static_cast<Activation>(call.Choice(2));
  const SequencesHeader sequences = ReadSequencesHeader(call, a.batch);
  const int64_t states = call.Product({sequences.state_rows(a.batch), a.dim, a.width - 1});
  if (!call.ok()) return 0;

  a.x = call.Sequence(Channels(a));
  a.weight = call.In<Real>(call.Product({a.dim, a.width}));
  a.bias = call.OptionalIn<Real>(a.dim);
  a.initial_states = call.OptionalIn<Real>(states);
  a.sequences = ReadSequences(call, sequences, a.batch, a.seq_len);
  return states;
}

template <typename Real>
napi_value Forward(Call& call, Status (*kernel)(const CausalConv1dArgsOf<Real>&) noexcept) {
  CausalConv1dArgsOf<Real> a;
  const int64_t states = ReadInputs(call, a);
  a.out = call.SequenceOut(Channels(a));
  a.final_states = call.OptionalOut<Real>(states);
  return call.Run(a, kernel);
}

template <typename Real>
napi_value Backward(Call& call, Status (*kernel)(const CausalConv1dBackwardArgsOf<Real>&) noexcept) {
  CausalConv1dBackwardArgsOf<Real> a;
  const int64_t states = ReadInputs(call, a);
  a.grad_out = call.Sequence(Channels(a));
  a.grad_final_states = call.OptionalIn<Real>(states);
  a.grad_x = call.SequenceOut(Channels(a), false);
  a.grad_weight = call.OptionalOut<Real>(call.Product({a.dim, a.width}));
  a.grad_bias = call.OptionalOut<Real>(a.dim);
  a.grad_initial_states = call.OptionalOut<Real>(states);
  return call.Run(a, kernel);
}

napi_value CausalConv1d(Call& call) {
  const bool wide = call.Choice(2) == 1;
  return wide ? Forward<double>(call, cpu_kernels()->causal_conv1d_f64)
              : Forward<float>(call, cpu_kernels()->causal_conv1d);
}

napi_value CausalConv1dBackward(Call& call) {
  const bool wide = call.Choice(2) == 1;
  return wide ? Backward<double>(call, cpu_kernels()->causal_conv1d_backward_f64)
              : Backward<float>(call, cpu_kernels()->causal_conv1d_backward);
}

constexpr Method kMethods[] = {
    {"causalConv1d", Sync<CausalConv1d>},
    {"causalConv1dAsync", Async<CausalConv1d>},
    {"causalConv1dBackward", Sync<CausalConv1dBackward>},
    {"causalConv1dBackwardAsync", Async<CausalConv1dBackward>},
};

}  // namespace

std::span<const Method> ConvMethods() { return kMethods; }

}  // namespace statespace::binding

// Numbers: batch, seqLen, dim, width, activation, sequences.
// Arrays: x, weight, bias?, initialStates?, cuSeqlens?, then out, finalStates? or
// gradOut, gradFinalStates?, gradX?, gradWeight?, gradBias?, gradInitialStates?. Sequences take two strides.
#include "methods.h"
#include "packed.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

/// Answers the size of state tensors.
int64_t ReadInputs(Call& call, CausalConv1dInputs& a) {
  a.batch = call.Size();
  a.seq_len = call.Size();
  a.dim = call.Size();
  a.width = call.Choice(kCausalConv1dMaxWidth + 1);
  if (a.width < 1) call.Refuse(Refusal::kBadNumber);
  a.activation = static_cast<Activation>(call.Choice(2));
  const PackedCount packed = ReadPackedCount(call);
  const int64_t states = call.Product({packed.rows(a.batch), a.dim, a.width - 1});
  if (!call.ok()) return 0;

  a.x = call.Sequence(a.batch, a.seq_len, a.dim);
  a.weight = call.In(call.Product({a.dim, a.width}));
  a.bias = call.OptionalIn(a.dim);
  a.initial_states = call.OptionalIn(states);
  a.packed = ReadBoundaries(call, packed, a.seq_len);
  return states;
}

napi_value CausalConv1d(Call& call) {
  CausalConv1dArgs a;
  const int64_t states = ReadInputs(call, a);
  a.out = call.Out(call.Product({a.batch, a.seq_len, a.dim}));
  a.final_states = call.OptionalOut(states);
  return call.Run(a, cpu_kernels()->causal_conv1d);
}

napi_value CausalConv1dBackward(Call& call) {
  CausalConv1dBackwardArgs a;
  const int64_t states = ReadInputs(call, a);
  a.grad_out = call.Sequence(a.batch, a.seq_len, a.dim);
  a.grad_final_states = call.OptionalIn(states);
  a.grad_x = call.OptionalOut(call.Product({a.batch, a.seq_len, a.dim}));
  a.grad_weight = call.OptionalOut(call.Product({a.dim, a.width}));
  a.grad_bias = call.OptionalOut(a.dim);
  a.grad_initial_states = call.OptionalOut(states);
  return call.Run(a, cpu_kernels()->causal_conv1d_backward);
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

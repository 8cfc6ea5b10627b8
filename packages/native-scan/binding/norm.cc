//   rmsNorm: rows, dim, groupSize, gateAfterNorm, eps | x (row stride), weight, gate? (row stride), out
//   rmsNormBackward: ... the same, then gradOut, gradX?, gradWeight?, gradGate?
//   layerNorm: rows, dim, eps | x (row stride), weight?, bias?, out
//   layerNormBackward: ... the same, then gradOut, gradX?, gradWeight?, gradBias?
#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

void ReadInputs(Call& call, RmsNormInputs& a) {
  a.rows = call.Size();
  a.dim = call.Size();
  a.group_size = call.Size();
  a.gate_after_norm = call.Flag();
  a.eps = call.Float();
  if (a.group_size < 1 || a.dim % a.group_size != 0) call.Refuse(Refusal::kBadNumber);
  a.x = call.Rows(a.rows, a.dim, &a.x_row_stride);
  a.weight = call.In(a.dim);
  a.gate = call.Rows(a.rows, a.dim, &a.gate_row_stride, false);
}

napi_value RmsNorm(Call& call) {
  RmsNormArgs a{};
  ReadInputs(call, a.inputs);
  a.out = call.Out(call.Product({a.inputs.rows, a.inputs.dim}));
  return call.Run(a, cpu_kernels()->rms_norm);
}

napi_value RmsNormBackward(Call& call) {
  RmsNormBackwardArgs a{};
  ReadInputs(call, a.inputs);
  const int64_t count = call.Product({a.inputs.rows, a.inputs.dim});
  a.grad_out = call.In(count);
  a.grad_x = call.OptionalOut(count);
  a.grad_weight = call.OptionalOut(a.inputs.dim);
  a.grad_gate = call.OptionalOut(count);
  return call.Run(a, cpu_kernels()->rms_norm_backward);
}

void ReadInputs(Call& call, LayerNormInputs& a) {
  a.rows = call.Size();
  a.dim = call.Size();
  a.eps = call.Float();
  a.x = call.Rows(a.rows, a.dim, &a.x_row_stride);
  a.weight = call.OptionalIn(a.dim);
  a.bias = call.OptionalIn(a.dim);
}

napi_value LayerNorm(Call& call) {
  LayerNormArgs a{};
  ReadInputs(call, a.inputs);
  a.out = call.Out(call.Product({a.inputs.rows, a.inputs.dim}));
  return call.Run(a, cpu_kernels()->layer_norm);
}

napi_value LayerNormBackward(Call& call) {
  LayerNormBackwardArgs a{};
  ReadInputs(call, a.inputs);
  const int64_t count = call.Product({a.inputs.rows, a.inputs.dim});
  a.grad_out = call.In(count);
  a.grad_x = call.OptionalOut(count);
  a.grad_weight = call.OptionalOut(a.inputs.dim);
  a.grad_bias = call.OptionalOut(a.inputs.dim);
  return call.Run(a, cpu_kernels()->layer_norm_backward);
}

constexpr Method kMethods[] = {
    {"rmsNorm", Sync<RmsNorm>},
    {"rmsNormBackward", Sync<RmsNormBackward>},
    {"layerNorm", Sync<LayerNorm>},
    {"layerNormBackward", Sync<LayerNormBackward>},
};

}  // namespace

std::span<const Method> NormMethods() { return kMethods; }

}  // namespace statespace::binding

// selectiveStateUpdate. Numbers: real (0 f32, 1 f64), batch, nHeads, headDim, dState, nGroups, stateRows, dtHasHeadDim,
// aHasState, dHasHeadDim, dtBiasHasHeadDim, softplus, dtMin, dtMax; x, dt, B, C, z take one stride.
//
// causalConv1dUpdate. Numbers: real, batch, seqLen, dim, width, stateLen, stateRows, activation; x as sequences.
//
// Arrays: ../arguments/state_update.h.
#include "../arguments/state_update.h"

#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

template <typename Real>
napi_value UpdateState(Call& call, Status (*kernel)(const SelectiveStateUpdateArgsOf<Real>&) noexcept) {
  SelectiveStateUpdateArgsOf<Real> a;
  a.batch = call.Batch();
  a.n_heads = call.Size();
  a.head_dim = call.Size();
  a.d_state = call.Size();
  a.n_groups = call.Size();
  a.state_rows = call.Size();
  a.dt_has_head_dim = call.Flag();
  a.a_has_state = call.Flag();
  a.d_has_head_dim = call.Flag();
  a.dt_bias_has_head_dim = call.Flag();
  a.dt_softplus = call.Flag();
  a.dt_min = static_cast<Real>(call.Number());
  a.dt_max = static_cast<Real>(call.Number());
  arguments::ReadStateUpdate(call, a);
  return call.Run(a, kernel);
}

napi_value SelectiveStateUpdate(Call& call) {
  const bool wide = call.Choice(2) == 1;
  return wide ? UpdateState(call, cpu_kernels()->selective_state_update_f64)
              : UpdateState(call, cpu_kernels()->selective_state_update);
}

template <typename Real>
napi_value UpdateConv(Call& call, Status (*kernel)(const CausalConv1dUpdateArgsOf<Real>&) noexcept) {
  CausalConv1dUpdateArgsOf<Real> a;
  a.batch = call.Batch();
  a.seq_len = call.Size();
  a.dim = call.Size();
  a.width = call.Choice(kCausalConv1dMaxWidth + 1);
  a.state_len = call.Size();
  a.state_rows = call.Size();
  a.activation = static_cast<Activation>(call.Choice(2));
  arguments::ReadConvUpdate(call, a);
  return call.Run(a, kernel);
}

napi_value CausalConv1dUpdate(Call& call) {
  const bool wide = call.Choice(2) == 1;
  return wide ? UpdateConv(call, cpu_kernels()->causal_conv1d_update_f64)
              : UpdateConv(call, cpu_kernels()->causal_conv1d_update);
}

constexpr Method kMethods[] = {
    {"selectiveStateUpdate", Sync<SelectiveStateUpdate>},
    {"selectiveStateUpdateAsync", Async<SelectiveStateUpdate>},
    {"causalConv1dUpdate", Sync<CausalConv1dUpdate>},
    {"causalConv1dUpdateAsync", Async<CausalConv1dUpdate>},
};

}  // namespace

std::span<const Method> UpdateMethods() { return kMethods; }

}  // namespace statespace::binding

// selectiveStateUpdate. Numbers: batch, nHeads, headDim, dState, nGroups, stateRows, dtHasHeadDim, aHasState,
// dHasHeadDim, dtBiasHasHeadDim, softplus, dtMin, dtMax; x, dt, B, C, z take one stride.
//
// causalConv1dUpdate. Numbers: batch, seqLen, dim, width, stateLen, stateRows, activation; x as sequences.
//
// Arrays: ../arguments/state_update.h.
#include "../arguments/state_update.h"

#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

napi_value SelectiveStateUpdate(Call& call) {
  SelectiveStateUpdateArgs a;
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
  a.dt_min = call.Float();
  a.dt_max = call.Float();
  arguments::ReadStateUpdate(call, a);
  return call.Run(a, cpu_kernels()->selective_state_update);
}

napi_value CausalConv1dUpdate(Call& call) {
  CausalConv1dUpdateArgs a;
  a.batch = call.Batch();
  a.seq_len = call.Size();
  a.dim = call.Size();
  a.width = call.Choice(kCausalConv1dMaxWidth + 1);
  a.state_len = call.Size();
  a.state_rows = call.Size();
  a.activation = static_cast<Activation>(call.Choice(2));
  arguments::ReadConvUpdate(call, a);
  return call.Run(a, cpu_kernels()->causal_conv1d_update);
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

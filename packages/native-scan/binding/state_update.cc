// selectiveStateUpdate. Numbers: batch, nHeads, headDim, dState, nGroups, stateRows, dtHasHeadDim, aHasState,
// dHasHeadDim, dtBiasHasHeadDim, softplus, dtMin, dtMax. Arrays: state, x, dt, A, B, C, D?, z?, dtBias?,
// stateBatchIndices?, out; x, dt, B, C, z take one stride.
//
// causalConv1dUpdate. Numbers: batch, seqLen, dim, width, stateLen, stateRows, activation. Arrays: x, convState,
// weight, bias?, cacheSeqlens?, convStateIndices?, out; x as sequences.
#include "methods.h"
#include "statespace/kernels.h"

namespace statespace::binding {
namespace {

/// Rows that calls write; without indices they are the first `batch`.
void CheckRows(Call& call, const int32_t* indices, int32_t position, int64_t batch, int64_t rows) {
  if (indices == nullptr) {
    if (batch > rows) call.Refuse(Refusal::kBadNumber, position);
    return;
  }
  for (int64_t b = 0; b < batch; ++b) {
    if (indices[b] >= rows) call.Refuse(Refusal::kBadNumber, position);
  }
}

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
  const int64_t inner = call.Product({a.n_heads, a.head_dim});
  const int64_t coefficients = call.Product({a.n_groups, a.d_state});

  a.state = call.InOut(call.Product({a.state_rows, inner, a.d_state}));
  a.x = call.Rows(a.batch, inner, &a.x_batch_stride);
  a.dt = call.Rows(a.batch, a.dt_has_head_dim ? inner : a.n_heads, &a.dt_batch_stride);
  a.A = call.In(a.a_has_state ? call.Product({inner, a.d_state}) : a.n_heads);
  a.B = call.Rows(a.batch, coefficients, &a.b_batch_stride);
  a.C = call.Rows(a.batch, coefficients, &a.c_batch_stride);
  a.D = call.OptionalIn(a.d_has_head_dim ? inner : a.n_heads);
  a.z = call.Rows(a.batch, inner, &a.z_batch_stride, false);
  a.dt_bias = call.OptionalIn(a.dt_bias_has_head_dim ? inner : a.n_heads);
  const int32_t position = call.position();
  a.state_batch_indices = call.Indices(a.batch, false);
  if (call.ok()) CheckRows(call, a.state_batch_indices, position, a.batch, a.state_rows);
  a.out = call.Out(call.Product({a.batch, inner}));
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
  if (a.width < 1 || a.state_len < a.width - 1) call.Refuse(Refusal::kBadNumber);

  a.x = call.Sequence({a.batch, a.seq_len, 1, a.dim});
  // The kernel reads x in place: it is a few rows, which callers copy.
  if (a.dim > 1 && (a.x.dtype != DType::kF32 || a.x.inner_stride != 1)) call.Refuse(Refusal::kWrongType, 0);
  a.conv_state = call.InOut(call.Product({a.state_rows, a.dim, a.state_len}));
  a.weight = call.In(call.Product({a.dim, a.width}));
  a.bias = call.OptionalIn(a.dim);
  const int32_t lengths_position = call.position();
  a.cache_seqlens = call.Indices(a.batch, false);
  const int32_t position = call.position();
  a.conv_state_indices = call.Indices(a.batch, false);
  if (call.ok()) {
    CheckRows(call, a.conv_state_indices, position, a.batch, a.state_rows);
    for (int64_t b = 0; a.cache_seqlens != nullptr && b < a.batch; ++b) {
      if (a.cache_seqlens[b] < 0) call.Refuse(Refusal::kBadNumber, lengths_position);
    }
  }
  a.out = call.Out(call.Product({a.batch, a.seq_len, a.dim}));
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

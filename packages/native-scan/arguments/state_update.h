/// Arrays of the one-step updates in float or double (Real), in order.
///   selective state update: state, x, dt, A, B, C, D?, z?, dtBias?, stateBatchIndices?, out
///   convolution update: x, convState, weight, bias?, cacheSeqlens?, convStateIndices?, out
#pragma once

#include "refusal.h"
#include "shapes.h"
#include "statespace/state_update.h"

namespace statespace::arguments {

/// Rows that calls write; without indices they are the first `batch`.
template <typename Source>
void CheckRows(Source& source, const int32_t* indices, int32_t position, int64_t batch, int64_t rows) {
  if (indices == nullptr) {
    if (batch > rows) source.Refuse(Refusal::kBadNumber, position);
    return;
  }
  for (int64_t b = 0; b < batch; ++b) {
    if (indices[b] >= rows) source.Refuse(Refusal::kBadNumber, position);
  }
}

/// `a` has its sizes and options.
template <typename Real, typename Source>
void ReadStateUpdate(Source& source, SelectiveStateUpdateArgsOf<Real>& a) {
  const int64_t H = a.n_heads, P = a.head_dim, N = a.d_state;
  const DenseShape heads = Dense(source, {H});
  const DenseShape inner = Dense(source, {H, P});
  const DenseShape coefficients = Dense(source, {a.n_groups, N});

  a.state = source.template InOut<Real>(Dense(source, {a.state_rows, H, P, N}));
  a.x = source.template Rows<Real>(a.batch, inner, &a.x_batch_stride);
  a.dt = source.template Rows<Real>(a.batch, a.dt_has_head_dim ? inner : heads, &a.dt_batch_stride);
  a.A = source.template In<Real>(a.a_has_state ? Dense(source, {H, P, N}) : heads);
  a.B = source.template Rows<Real>(a.batch, coefficients, &a.b_batch_stride);
  a.C = source.template Rows<Real>(a.batch, coefficients, &a.c_batch_stride);
  a.D = source.template OptionalIn<Real>(a.d_has_head_dim ? inner : heads);
  a.z = source.template Rows<Real>(a.batch, inner, &a.z_batch_stride, false);
  a.dt_bias = source.template OptionalIn<Real>(a.dt_bias_has_head_dim ? inner : heads);
  const int32_t position = source.position();
  a.state_batch_indices = source.Indices(Dense(source, {a.batch}), false);
  if (source.ok()) CheckRows(source, a.state_batch_indices, position, a.batch, a.state_rows);
  a.out = source.template Out<Real>(Dense(source, {a.batch, H, P}));
}

/// `a` has its sizes and options.
template <typename Real, typename Source>
void ReadConvUpdate(Source& source, CausalConv1dUpdateArgsOf<Real>& a) {
  if (a.width < 1 || a.state_len < a.width - 1) source.Refuse(Refusal::kBadNumber);

  a.x = source.Sequence({a.batch, a.seq_len, 1, a.dim});
  // The kernel reads x in place: it is a few rows, which callers copy.
  constexpr DType dtype = sizeof(Real) == sizeof(double) ? DType::kF64 : DType::kF32;
  if (a.x.dtype != dtype || (a.dim > 1 && a.x.inner_stride != 1)) source.Refuse(Refusal::kWrongType, 0);
  a.conv_state = source.template InOut<Real>(Dense(source, {a.state_rows, a.dim, a.state_len}));
  a.weight = source.template In<Real>(Dense(source, {a.dim, a.width}));
  a.bias = source.template OptionalIn<Real>(Dense(source, {a.dim}));
  const int32_t lengths_position = source.position();
  a.cache_seqlens = source.Indices(Dense(source, {a.batch}), false);
  const int32_t position = source.position();
  a.conv_state_indices = source.Indices(Dense(source, {a.batch}), false);
  if (source.ok()) {
    CheckRows(source, a.conv_state_indices, position, a.batch, a.state_rows);
    for (int64_t b = 0; a.cache_seqlens != nullptr && b < a.batch; ++b) {
      if (a.cache_seqlens[b] < 0) source.Refuse(Refusal::kBadNumber, lengths_position);
    }
  }
  a.out = source.template Out<Real>(Dense(source, {a.batch, a.seq_len, a.dim}));
}

}  // namespace statespace::arguments

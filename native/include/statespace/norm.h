/// RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467) and LayerNorm (Ba et al. 2016, arXiv:1607.06450) over rows.
#pragma once

#include <cstdint>

namespace statespace {

/// y = gate before the norm ? x * SiLU(gate) : x
/// out = y * rsqrt(mean_group(y^2) + eps) * weight   [* SiLU(gate) with gate_after_norm]
struct RmsNormInputs {
  int64_t rows;
  int64_t dim;
  /// Channels normalised together; divides `dim`.
  int64_t group_size;
  /// (rows, dim), unit stride along dim.
  const float* x;
  int64_t x_row_stride;
  /// (dim)
  const float* weight;
  /// (rows, dim) or null.
  const float* gate;
  int64_t gate_row_stride;
  bool gate_after_norm;
  float eps;
};

struct RmsNormArgs {
  RmsNormInputs inputs;
  /// (rows, dim), contiguous.
  float* out;
};

/// Gradients that are null are not computed.
struct RmsNormBackwardArgs {
  RmsNormInputs inputs;
  /// (rows, dim), contiguous.
  const float* grad_out;
  /// (rows, dim)
  float* grad_x;
  /// (dim)
  float* grad_weight;
  /// (rows, dim); needs a gate.
  float* grad_gate;
};

/// out = (x - mean) * rsqrt(var + eps) * weight + bias over the last axis, var biased.
struct LayerNormInputs {
  int64_t rows;
  int64_t dim;
  /// (rows, dim), unit stride along dim.
  const float* x;
  int64_t x_row_stride;
  /// (dim) or null for 1.
  const float* weight;
  /// (dim) or null for 0.
  const float* bias;
  float eps;
};

struct LayerNormArgs {
  LayerNormInputs inputs;
  /// (rows, dim), contiguous.
  float* out;
};

/// Gradients that are null are not computed.
struct LayerNormBackwardArgs {
  LayerNormInputs inputs;
  /// (rows, dim), contiguous.
  const float* grad_out;
  /// (rows, dim)
  float* grad_x;
  /// (dim)
  float* grad_weight;
  /// (dim)
  float* grad_bias;
};

}  // namespace statespace

/// The cost of features that are switched off: kernels as shipped, called without them, beside the same sources built
/// against headers in which the arguments of those features are constants, so that no test of them is left.
///
/// Both sides are built from features_off_calls.cpp, the one without features in namespace statespace_plain.
#pragma once

#include <cstdint>

namespace features_off {

/// Operands of one family at one shape; those that a kernel does not take are unused.
struct Operands {
  int64_t batch, seq_len, heads, channels, d_state, width;
  float *x, *step, *A, *B, *C, *weight, *out;
  const float* grad_out;
  float *grad_x, *grad_step, *grad_A, *grad_B, *grad_C, *grad_weight;
};

/// Calls of one instruction set and side.
struct Calls {
  void (*scan)(const Operands&) noexcept;
  void (*scan_backward)(const Operands&) noexcept;
  void (*conv)(const Operands&) noexcept;
  void (*conv_backward)(const Operands&) noexcept;
  void (*ssd)(const Operands&) noexcept;
  void (*ssd_backward)(const Operands&) noexcept;
};

}  // namespace features_off

/// AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) on many parameters at once.
#pragma once

#include <cstdint>

namespace statespace {

/// One parameter with its gradient and moments, all contiguous, `count` elements each.
struct AdamWSlot {
  float* param;
  const float* grad;
  float* m;
  float* v;
  int64_t count;
  float lr_scale;
  float weight_decay;
};

/// g = grad_scale * grad;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
/// param = param (1 - lr lr_scale weight_decay) - lr lr_scale (m / c1) / (sqrt(v / c2) + eps)
struct AdamWArgs {
  int64_t slot_count;
  const AdamWSlot* slots;
  double beta1;
  double beta2;
  double eps;
  /// (3): lr, c1 = 1 - beta1^t, c2 = 1 - beta2^t.
  const float* schedule;
  /// (1), or null for 1.
  const float* grad_scale;
};

}  // namespace statespace

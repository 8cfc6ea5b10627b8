/// Elementwise functions on the device, to float rounding.
#pragma once

#include "device.h"

namespace statespace::cuda {

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

__device__ __forceinline__ float silu(float x) { return x / (1.0f + expf(-x)); }

/// d silu / dx = s (1 + x (1 - s)), s = sigmoid(x).
__device__ __forceinline__ float silu_slope(float x) {
  const float s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

/// log1p(exp(x)), and x itself above 20.
__device__ __forceinline__ float softplus(float x) { return x <= 20.0f ? log1pf(expf(x)) : x; }

__device__ __forceinline__ float softplus_slope(float x) { return x <= 20.0f ? sigmoid(x) : 1.0f; }

}  // namespace statespace::cuda

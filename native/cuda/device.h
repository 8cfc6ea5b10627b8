/// What kernels are written against: the device's language under nvcc, its emulation under a host compiler.
#pragma once

#include <cstdint>
#include <limits>

#include "statespace/status.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#else
#include "emulation/emulation.h"
#endif

namespace statespace::cuda {

inline constexpr int kWarpSize = 32;
inline constexpr uint32_t kWholeWarp = 0xffffffffu;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The dynamic shared memory of the block, seen as the kernel lays it out.
template <typename Layout>
__device__ __forceinline__ Layout& shared_memory() {
#if defined(__CUDACC__)
  extern __shared__ __align__(16) unsigned char statespace_shared_memory[];
  return *reinterpret_cast<Layout*>(statespace_shared_memory);
#else
  return *static_cast<Layout*>(emulation::shared_bytes());
#endif
}

/// 2^x, within 2 units in the last place; results below the normal range become 0.
__device__ __forceinline__ float fast_exp2(float x) {
#if defined(__CUDA_ARCH__)
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  const float y = ::exp2f(x);
  return y < std::numeric_limits<float>::min() ? 0.0f : y;
#endif
}

__device__ __forceinline__ int lane_index() { return static_cast<int>(threadIdx.x) % kWarpSize; }

template <typename Integer>
__device__ __host__ constexpr Integer ceil_divide(Integer a, Integer b) {
  return (a + b - 1) / b;
}

/// Sum over groups of `lanes` neighbouring lanes, a power of two; every lane of a group gets the same bits.
__device__ __forceinline__ float sum_over_lanes(float value, int lanes) {
  for (int distance = lanes / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(kWholeWarp, value, distance);
  return value;
}

}  // namespace statespace::cuda

/// out = f(inputs), element by element, of views of any strides. Bound by memory: where every operand is packed, threads
/// move four neighbours at a time.
#pragma once

#include "launch.h"
#include "strided_shape.h"

namespace statespace::cuda {

inline constexpr int kMapThreads = 256;

/// Neighbours in memory that are moved together.
template <typename Value, int kCount = 4>
struct alignas(sizeof(Value) * kCount <= 16 ? sizeof(Value) * kCount : 16) Pack {
  Value value[kCount];
};

/// Whether packs may be moved from and to each address.
template <typename... Values>
bool aligned_for_packs(const Values*... addresses) {
  return (... && (reinterpret_cast<uintptr_t>(addresses) % alignof(Pack<Values>) == 0));
}

template <int kOperands>
struct ElementOffsets {
  int64_t at[kOperands] = {};
};

/// Where element `index` of a walk, in row-major order, lies in each operand.
template <typename Index, int kOperands>
__device__ __forceinline__ ElementOffsets<kOperands> split_index(const Walk<kOperands>& walk, Index index) {
  ElementOffsets<kOperands> offsets;
  for (int32_t axis = walk.rank - 1; axis >= 0; --axis) {
    Index along = index;
    if (axis > 0) {
      const auto size = static_cast<Index>(walk.size[axis]);
      along = index % size;
      index /= size;
    }
#pragma unroll
    for (int i = 0; i < kOperands; ++i) offsets.at[i] += static_cast<int64_t>(along) * walk.step[axis][i];
  }
  return offsets;
}

template <int kOperands>
__device__ __forceinline__ ElementOffsets<kOperands> offsets_at(const Walk<kOperands>& walk, int64_t index) {
  // Divisions of 32 bits are several times cheaper.
  if (walk.count <= INT32_MAX) return split_index(walk, static_cast<uint32_t>(index));
  return split_index(walk, index);
}

template <int kOperands>
bool is_packed(const Walk<kOperands>& walk) {
  bool packed = walk.rank <= 1;
  for (int i = 0; packed && i < kOperands; ++i) packed = walk.inner_step(i) == 1;
  return packed;
}

/// The inputs, and behind them the output, as operands of the walk.
template <int kInputs, typename F>
struct ElementMap {
  Walk<kInputs + 1> walk;
  const float* in[kInputs];
  float* out;
  F f;

  /// f of the inputs that at(i) answers.
  template <typename At>
  __device__ __forceinline__ float apply(const At& at) const {
    if constexpr (kInputs == 1) {
      return f(at(0));
    } else {
      return f(at(0), at(1));
    }
  }
};

template <int kInputs, typename F>
__global__ void __launch_bounds__(kMapThreads) strided_map_kernel(const ElementMap<kInputs, F> map) {
  const int64_t count = map.walk.count, all = gridDim.x * int64_t{kMapThreads};
  for (int64_t i = blockIdx.x * int64_t{kMapThreads} + threadIdx.x; i < count; i += all) {
    const auto offsets = offsets_at(map.walk, i);
    map.out[offsets.at[kInputs]] = map.apply([&](int input) { return map.in[input][offsets.at[input]]; });
  }
}

/// Elements at `at` of packed operands, four of them where so many are left.
template <int kInputs, typename F>
__device__ __forceinline__ void map_pack(const ElementMap<kInputs, F>& map, int64_t at, bool aligned) {
  const int64_t left = map.walk.count - at;
  if (!aligned || left < 4) {
    for (int64_t i = at; i < at + (left < 4 ? left : 4); ++i) {
      map.out[i] = map.apply([&](int input) { return map.in[input][i]; });
    }
    return;
  }
  Pack<float> in[kInputs], out;
#pragma unroll
  for (int input = 0; input < kInputs; ++input) in[input] = *reinterpret_cast<const Pack<float>*>(map.in[input] + at);
#pragma unroll
  for (int k = 0; k < 4; ++k) out.value[k] = map.apply([&](int input) { return in[input].value[k]; });
  *reinterpret_cast<Pack<float>*>(map.out + at) = out;
}

template <int kInputs, typename F>
__global__ void __launch_bounds__(kMapThreads) packed_map_kernel(const ElementMap<kInputs, F> map, const bool aligned) {
  const int64_t all = gridDim.x * int64_t{4 * kMapThreads};
  for (int64_t at = 4 * (blockIdx.x * int64_t{kMapThreads} + threadIdx.x); at < map.walk.count; at += all) {
    map_pack(map, at, aligned);
  }
}

template <int kInputs, typename F>
Status launch_map(const ElementMap<kInputs, F>& map) {
  if (!is_packed(map.walk)) {
    const int64_t blocks = blocks_for(ceil_divide<int64_t>(map.walk.count, kMapThreads));
    return launch(strided_map_kernel<kInputs, F>, {blocks, kMapThreads, 0}, map);
  }
  bool aligned = aligned_for_packs(map.out);
  for (const float* in : map.in) aligned &= aligned_for_packs(in);
  const int64_t blocks = blocks_for(ceil_divide<int64_t>(map.walk.count, 4 * kMapThreads));
  return launch(packed_map_kernel<kInputs, F>, {blocks, kMapThreads, 0}, map, aligned);
}

}  // namespace statespace::cuda

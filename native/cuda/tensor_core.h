/// Products of small matrices by one warp on tensor cores: sum += a b, with float sums.
///
/// a (16, depth), b (depth, 8) and the sum (16, 8) are spread over the registers of the warp as PTX defines it for
/// mma.m16n8k16 (two-byte entries) and mma.m16n8k8 (tf32): with g = lane / 4 and t = lane % 4, a register of a holds row
/// g or g + 8, one of b holds column g, and the sums are those of rows g, g + 8 and columns 2 t, 2 t + 1.
/// Source: PTX ISA, "Matrix Fragments for mma.m16n8k8" and "for mma.m16n8k16 with floating point type".
///
/// All lanes of the warp must call together. A device adds exact products and cuts off what float sums cannot hold, in
/// an order of its own.
#pragma once

#include "matrix_registers.h"
#include "storage.h"

namespace statespace::cuda {

/// To the nearest of 10 stored bits, ties away from zero.
__device__ __forceinline__ uint32_t tf32_of_float(float x) {
#if defined(__CUDA_ARCH__)
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#else
  return x != x ? 0x7fffffffu : (bits_of_float(x) + 0x1000u) & ~0x1fffu;
#endif
}

/// Two entries in one register; `first` is the one of the smaller index.
__device__ __forceinline__ uint32_t pack_bf16(float first, float second) {
#if defined(__CUDA_ARCH__)
  uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(second), "f"(first));
  return bits;
#else
  return bf16_of_float(first) | static_cast<uint32_t>(bf16_of_float(second)) << 16;
#endif
}

__device__ __forceinline__ uint32_t pack_f16(float first, float second) {
#if defined(__CUDA_ARCH__)
  uint32_t bits;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(second), "f"(first));
  return bits;
#else
  return f16_of_float(first) | static_cast<uint32_t>(f16_of_float(second)) << 16;
#endif
}

/// The lane's part of a, where bits_at(row, k) answers one register: entry (row, k), with (row, k + 1) in its upper half
/// when entries have two bytes.
template <MatrixFormat kFormat, typename BitsAt>
__device__ __forceinline__ MatrixA matrix_a_of_bits(const BitsAt& bits_at) {
  const int row = lane_index() / 4, k = lane_index() % 4 * kPerRegister<kFormat>;
  MatrixA a;
#pragma unroll
  for (int i = 0; i < 4; ++i) a.registers[i] = bits_at(row + i % 2 * 8, k + i / 2 * (kMatrixDepth<kFormat> / 2));
  return a;
}

/// The lane's part of b, where bits_at(k, col) answers entry (k, col), with (k + 1, col) in its upper half.
template <MatrixFormat kFormat, typename BitsAt>
__device__ __forceinline__ MatrixB matrix_b_of_bits(const BitsAt& bits_at) {
  const int col = lane_index() / 4, k = lane_index() % 4 * kPerRegister<kFormat>;
  MatrixB b;
#pragma unroll
  for (int i = 0; i < 2; ++i) b.registers[i] = bits_at(k + i * (kMatrixDepth<kFormat> / 2), col);
  return b;
}

/// The same of numbers, which are rounded: value_at(row, k).
template <MatrixFormat kFormat, typename ValueAt>
__device__ __forceinline__ MatrixA matrix_a(const ValueAt& value_at) {
  return matrix_a_of_bits<kFormat>([&](int row, int k) {
    if constexpr (kFormat == MatrixFormat::kTf32) {
      return tf32_of_float(value_at(row, k));
    } else if constexpr (kFormat == MatrixFormat::kBf16) {
      return pack_bf16(value_at(row, k), value_at(row, k + 1));
    } else {
      return pack_f16(value_at(row, k), value_at(row, k + 1));
    }
  });
}

/// The same of numbers, which are rounded: value_at(k, col).
template <MatrixFormat kFormat, typename ValueAt>
__device__ __forceinline__ MatrixB matrix_b(const ValueAt& value_at) {
  return matrix_b_of_bits<kFormat>([&](int k, int col) {
    if constexpr (kFormat == MatrixFormat::kTf32) {
      return tf32_of_float(value_at(k, col));
    } else if constexpr (kFormat == MatrixFormat::kBf16) {
      return pack_bf16(value_at(k, col), value_at(k + 1, col));
    } else {
      return pack_f16(value_at(k, col), value_at(k + 1, col));
    }
  });
}

/// Calls visit(row, col, value) for the lane's four sums; `value` may be changed.
template <typename Sum, typename Visit>
__device__ __forceinline__ void visit_sum(Sum& sum, const Visit& visit) {
  const int row = lane_index() / 4, col = lane_index() % 4 * 2;
#pragma unroll
  for (int i = 0; i < 4; ++i) visit(row + i / 2 * 8, col + i % 2, sum.values[i]);
}

/// sum += a b.
template <MatrixFormat kFormat>
__device__ __forceinline__ void multiply_add(MatrixSum& sum, const MatrixA& a, const MatrixB& b) {
#if defined(__CUDA_ARCH__)
#define STATESPACE_MMA(instruction)                                                                             \
  asm(instruction " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                            \
      : "+f"(sum.values[0]), "+f"(sum.values[1]), "+f"(sum.values[2]), "+f"(sum.values[3])                      \
      : "r"(a.registers[0]), "r"(a.registers[1]), "r"(a.registers[2]), "r"(a.registers[3]), "r"(b.registers[0]), \
        "r"(b.registers[1]))
  if constexpr (kFormat == MatrixFormat::kTf32) {
    STATESPACE_MMA("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32");
  } else if constexpr (kFormat == MatrixFormat::kBf16) {
    STATESPACE_MMA("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32");
  } else {
    STATESPACE_MMA("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32");
  }
#undef STATESPACE_MMA
#elif !defined(__CUDACC__)
  emulation::multiply_add(kFormat, sum, a, b);
#endif
}

}  // namespace statespace::cuda

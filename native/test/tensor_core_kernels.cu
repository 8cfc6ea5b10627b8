#include "tensor_core_kernels.h"

#include "launch.h"
#include "tensor_core.h"

namespace statespace::test {
namespace {

using namespace statespace::cuda;

template <MatrixFormat kFormat>
__global__ void multiply_kernel(const float* a, const float* b, float* out) {
  constexpr int kDepth = kMatrixDepth<kFormat>;
  const auto warp = static_cast<int>(threadIdx.x) / kWarpSize;
  a += warp * kMatrixRows * kDepth;
  b += warp * kDepth * kMatrixCols;
  out += warp * kMatrixRows * kMatrixCols;
  MatrixSum sum;
  visit_sum(sum, [&](int row, int col, float& value) { value = out[row * kMatrixCols + col]; });
  multiply_add<kFormat>(sum, matrix_a<kFormat>([&](int row, int k) { return a[row * kDepth + k]; }),
                        matrix_b<kFormat>([&](int k, int col) { return b[k * kMatrixCols + col]; }));
  visit_sum(sum, [&](int row, int col, const float& value) { out[row * kMatrixCols + col] = value; });
}

/// Two-byte entries are numbered, tf32 entries are floats.
template <MatrixFormat kFormat>
__global__ void show_registers_kernel(uint32_t* a, uint32_t* b) {
  const auto bits_at = [](int row, int col, bool down) -> uint32_t {
    const auto number = static_cast<uint32_t>(1 + row * 64 + col);
    if (kFormat == MatrixFormat::kTf32) return number;
    return number | (number + (down ? 64u : 1u)) << 16;
  };
  const MatrixA left = matrix_a_of_bits<kFormat>([&](int row, int k) { return bits_at(row, k, false); });
  const MatrixB right = matrix_b_of_bits<kFormat>([&](int k, int col) { return bits_at(k, col, true); });
  for (int i = 0; i < 4; ++i) a[lane_index() * 4 + i] = left.registers[i];
  for (int i = 0; i < 2; ++i) b[lane_index() * 2 + i] = right.registers[i];
}

__global__ void round_kernel(const float* numbers, int count, uint32_t* tf32, uint32_t* bf16, uint32_t* f16) {
  for (auto i = static_cast<int>(threadIdx.x); i < count; i += kWarpSize) {
    const float next = numbers[(i + 1) % count];
    tf32[i] = tf32_of_float(numbers[i]);
    bf16[i] = pack_bf16(numbers[i], next);
    f16[i] = pack_f16(numbers[i], next);
  }
}

/// Calls with_format(std::integral_constant<MatrixFormat, ...>{}).
template <typename WithFormat>
Status dispatch(MatrixFormat format, const WithFormat& with_format) {
  switch (format) {
    case MatrixFormat::kBf16:
      return with_format(std::integral_constant<MatrixFormat, MatrixFormat::kBf16>{});
    case MatrixFormat::kF16:
      return with_format(std::integral_constant<MatrixFormat, MatrixFormat::kF16>{});
    case MatrixFormat::kTf32:
      return with_format(std::integral_constant<MatrixFormat, MatrixFormat::kTf32>{});
  }
  return Status::kBadArgument;
}

}  // namespace

Status multiply_matrices(MatrixFormat format, int warps, const float* a, const float* b, float* out) {
  return dispatch(format, [&](auto chosen) {
    return launch(multiply_kernel<decltype(chosen)::value>, {1, warps * kWarpSize, 0}, a, b, out);
  });
}

Status show_registers(MatrixFormat format, uint32_t* a, uint32_t* b) {
  return dispatch(format, [&](auto chosen) {
    return launch(show_registers_kernel<decltype(chosen)::value>, {1, kWarpSize, 0}, a, b);
  });
}

Status round_numbers(const float* numbers, int count, uint32_t* tf32, uint32_t* bf16, uint32_t* f16) {
  return launch(round_kernel, {1, kWarpSize, 0}, numbers, count, tf32, bf16, f16);
}

}  // namespace statespace::test

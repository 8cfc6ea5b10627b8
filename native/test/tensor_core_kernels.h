/// Products of one warp on tensor cores, as tensor_core_test.cpp runs them.
#pragma once

#include <cstdint>

#include "matrix_registers.h"
#include "statespace/status.h"

namespace statespace::test {

/// out (16, 8) = out + a b, several warps of one block each with products of their own: a (warps, 16, depth),
/// b (warps, depth, 8), row-major floats that are rounded to `format`.
Status multiply_matrices(cuda::MatrixFormat format, int warps, const float* a, const float* b, float* out);

/// The registers that hold matrices whose entry (row, col) is the number 1 + row * 64 + col in float, or its index among
/// the two-byte entries: a (32, 4), b (32, 2) of each lane.
Status show_registers(cuda::MatrixFormat format, uint32_t* a, uint32_t* b);

/// Of each number: its tf32, and a register with it and the next number in bf16 and in f16.
Status round_numbers(const float* numbers, int count, uint32_t* tf32, uint32_t* bf16, uint32_t* f16);

}  // namespace statespace::test

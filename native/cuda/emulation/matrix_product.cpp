/// What tensor cores do, from the registers of all lanes. Where each entry stands is written as PTX ISA has it, by the
/// index i of a lane's entries, and apart from tensor_core.h.
#include <cmath>

#include "matrix_registers.h"
#include "storage.h"

namespace statespace::emulation {
namespace {

using cuda::MatrixFormat;

struct Factors {
  cuda::MatrixA a;
  cuda::MatrixB b;
};

/// Entry i of a lane: devices ignore the lower 13 bits of tf32.
double entry(MatrixFormat format, const uint32_t* registers, int i) {
  if (format == MatrixFormat::kTf32) return static_cast<double>(cuda::float_of_bits(registers[i] & ~0x1fffu));
  const auto half = static_cast<uint16_t>(registers[i / 2] >> (16 * (i % 2)));
  return static_cast<double>(format == MatrixFormat::kBf16 ? cuda::float_of_bf16(half) : cuda::float_of_f16(half));
}

double a_entry(MatrixFormat format, const WarpSlot* slots, int row, int k) {
  const bool tf32 = format == MatrixFormat::kTf32;
  const int lane = row % 8 * 4 + (tf32 ? k % 4 : k % 8 / 2);
  const int i = tf32 ? row / 8 + k / 4 * 2 : k % 2 + row / 8 * 2 + k / 8 * 4;
  return entry(format, reinterpret_cast<const Factors*>(slots[lane].bytes)->a.registers, i);
}

double b_entry(MatrixFormat format, const WarpSlot* slots, int k, int col) {
  const bool tf32 = format == MatrixFormat::kTf32;
  const int lane = col * 4 + (tf32 ? k % 4 : k % 8 / 2);
  const int i = tf32 ? k / 4 : k % 2 + k / 8 * 2;
  return entry(format, reinterpret_cast<const Factors*>(slots[lane].bytes)->b.registers, i);
}

/// Towards zero, as devices do.
float cut_off(double sum) {
  const auto rounded = static_cast<float>(sum);
  return std::fabs(static_cast<double>(rounded)) > std::fabs(sum) && std::isfinite(rounded)
             ? std::nextafterf(rounded, 0.0f)
             : rounded;
}

}  // namespace

void multiply_add(MatrixFormat format, cuda::MatrixSum& sum, const cuda::MatrixA& a, const cuda::MatrixB& b) noexcept {
  const Factors own = {a, b};
  const WarpSlot* slots = exchange(cuda::kWholeWarp, &own, sizeof own);
  const int depth = format == MatrixFormat::kTf32 ? 8 : 16;
  for (int i = 0; i < 4; ++i) {
    const int row = lane() / 4 + (i < 2 ? 0 : 8), col = lane() % 4 * 2 + (i & 1);
    auto total = static_cast<double>(sum.values[i]);
    for (int k = 0; k < depth; ++k) total += a_entry(format, slots, row, k) * b_entry(format, slots, k, col);
    sum.values[i] = cut_off(total);
  }
}

}  // namespace statespace::emulation

/// Matrices in the registers of a warp: each entry stands where PTX ISA says, and products are those of plain sums.
#include <cmath>
#include <limits>

#include "check.h"
#include "tensor_core_kernels.h"

namespace statespace::test {
namespace {

using cuda::MatrixFormat;

constexpr MatrixFormat kFormats[] = {MatrixFormat::kBf16, MatrixFormat::kF16, MatrixFormat::kTf32};

/// The value that a number is rounded to, by arithmetic: `bits` of significand, ties away from zero for tf32.
double rounded(double x, MatrixFormat format) {
  const int bits = format == MatrixFormat::kBf16 ? 8 : 11;
  int exponent = 0;
  const double scaled = std::ldexp(std::frexp(x, &exponent), bits);
  const double whole = format == MatrixFormat::kTf32 ? std::round(scaled) : std::nearbyint(scaled);
  return std::ldexp(whole, exponent - bits);
}

void test_products(MatrixFormat format) {
  constexpr int kWarps = 3;
  const int depth = format == MatrixFormat::kTf32 ? 8 : 16;
  Random random(7);
  const auto a = random.floats(kWarps * 16 * depth);
  const auto b = random.floats(kWarps * depth * 8);
  auto out = random.floats(kWarps * 16 * 8);
  std::vector<double> wanted(out.begin(), out.end());
  for (int warp = 0; warp < kWarps; ++warp) {
    for (int row = 0; row < 16; ++row) {
      for (int col = 0; col < 8; ++col) {
        double& sum = wanted[static_cast<size_t>((warp * 16 + row) * 8 + col)];
        for (int k = 0; k < depth; ++k) {
          sum += rounded(static_cast<double>(a[static_cast<size_t>((warp * 16 + row) * depth + k)]), format) *
                 rounded(static_cast<double>(b[static_cast<size_t>((warp * depth + k) * 8 + col)]), format);
        }
      }
    }
  }
  CHECK(multiply_matrices(format, kWarps, a.data(), b.data(), out.data()) == Status::kOk);
  // One float rounding towards zero.
  CHECK_CLOSE(out.data(), wanted.data(), kWarps * 16 * 8, 1.2e-7, "product of a warp");
}

void check_entry(uint32_t found, int row, int col) { CHECK(found == static_cast<uint32_t>(1 + row * 64 + col)); }

/// The tables of PTX ISA, entry by entry.
void test_places(MatrixFormat format) {
  const bool tf32 = format == MatrixFormat::kTf32;
  std::vector<uint32_t> a(32 * 4), b(32 * 2);
  CHECK(show_registers(format, a.data(), b.data()) == Status::kOk);
  const auto entry = [&](const std::vector<uint32_t>& all, int index) {
    return tf32 ? all[static_cast<size_t>(index)] : all[static_cast<size_t>(index / 2)] >> (16 * (index % 2)) & 0xffffu;
  };
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane >> 2, in_group = lane % 4;
    if (tf32) {
      for (int i = 0; i < 4; ++i) {
        check_entry(entry(a, lane * 4 + i), i == 0 || i == 2 ? group : group + 8, i < 2 ? in_group : in_group + 4);
      }
      for (int i = 0; i < 2; ++i) check_entry(entry(b, lane * 2 + i), i == 0 ? in_group : in_group + 4, group);
    } else {
      for (int i = 0; i < 8; ++i) {
        const bool upper = (0 <= i && i < 2) || (4 <= i && i < 6);
        check_entry(entry(a, lane * 8 + i), upper ? group : group + 8, in_group * 2 + (i & 1) + (i < 4 ? 0 : 8));
      }
      for (int i = 0; i < 4; ++i) {
        check_entry(entry(b, lane * 4 + i), in_group * 2 + (i & 1) + (i < 2 ? 0 : 8), group);
      }
    }
  }
}

void test_rounding() {
  const float infinity = std::numeric_limits<float>::infinity();
  // 1 + 2^-11 is half way between two tf32 and rounds away; 1 + 2^-9 is a tf32; below half way rounds down.
  const float numbers[] = {1.0f + 0x1p-11f, -1.0f - 0x1p-11f, 1.0f + 0x1p-9f, 1.0f + 0x1.8p-12f, infinity, 0.0f};
  const float tf32_wanted[] = {1.0f + 0x1p-10f, -1.0f - 0x1p-10f, 1.0f + 0x1p-9f, 1.0f, infinity, 0.0f};
  constexpr int kCount = 6;
  uint32_t tf32[kCount], bf16[kCount], f16[kCount];
  CHECK(round_numbers(numbers, kCount, tf32, bf16, f16) == Status::kOk);
  for (int i = 0; i < kCount; ++i) CHECK(tf32[i] == __builtin_bit_cast(uint32_t, tf32_wanted[i]));
  CHECK(bf16[1] == 0x3f80bf80u && bf16[4] == 0x00007f80u);
  CHECK(f16[1] == 0x3c02bc00u && f16[4] == 0x00007c00u);
  const float none = std::numeric_limits<float>::quiet_NaN();
  CHECK(round_numbers(&none, 1, tf32, bf16, f16) == Status::kOk);
  CHECK(std::isnan(__builtin_bit_cast(float, tf32[0])));
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  // Twice, so that threads run in several orders.
  for (int i = 0; i < 2; ++i) {
    for (const auto format : kFormats) {
      test_products(format);
      test_places(format);
    }
    test_rounding();
  }
  return finish("tensor_core");
}

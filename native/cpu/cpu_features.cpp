/// The questions of cpu_features.h, put to the processor itself: the compiler's own test (__builtin_cpu_supports) needs
/// its run-time library, which programs linked as on Windows do not have.
/// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, vol. 1, sections 14.3 and 15.2.
#include "cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#endif

namespace statespace {

#if defined(__x86_64__)
namespace {

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(unsigned leaf, unsigned part) noexcept {
  Leaf r;
  // Zeros where the processor does not know the leaf.
  if (__get_cpuid_count(leaf, part, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return Leaf{};
  return r;
}

constexpr bool has_all(uint64_t word, uint64_t bits) noexcept { return (word & bits) == bits; }
constexpr uint64_t bit(int index) noexcept { return uint64_t{1} << index; }

/// XCR0: which registers the operating system saves.
uint64_t saved_registers() noexcept {
  constexpr int kOsxsave = 27;
  if (!has_all(cpuid(1, 0).ecx, bit(kOsxsave))) return 0;
  uint32_t low, high;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

}  // namespace

bool has_avx2() noexcept {
  constexpr uint64_t kSse = bit(1), kYmm = bit(2);
  constexpr uint64_t kFma = bit(12), kAvx = bit(28), kF16c = bit(29);
  constexpr uint64_t kAvx2 = bit(5);
  return has_all(saved_registers(), kSse | kYmm) && has_all(cpuid(1, 0).ecx, kFma | kAvx | kF16c) &&
         has_all(cpuid(7, 0).ebx, kAvx2);
}

bool has_avx512() noexcept {
  constexpr uint64_t kMasks = bit(5), kUpperZmm = bit(6), kMoreZmm = bit(7);
  constexpr uint64_t kF = bit(16), kDq = bit(17), kBw = bit(30), kVl = bit(31);
  return has_avx2() && has_all(saved_registers(), kMasks | kUpperZmm | kMoreZmm) &&
         has_all(cpuid(7, 0).ebx, kF | kDq | kBw | kVl);
}
#else
bool has_avx2() noexcept { return false; }
bool has_avx512() noexcept { return false; }
#endif

}  // namespace statespace

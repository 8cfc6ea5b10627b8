/// What this machine's processor and operating system can do.
#pragma once

namespace statespace {

/// AVX2, FMA and F16C, with their registers saved on a context switch. False where the processor is not an x86-64.
bool has_avx2() noexcept;

/// `has_avx2` and AVX-512 F, DQ, BW and VL, with their registers saved on a context switch.
bool has_avx512() noexcept;

}  // namespace statespace

/// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011).
#pragma once

#include <cstdint>

namespace statespace {

/// Key `seed`; the 128-bit counter of block i is (stream << 64) + offset + i (low words first, offset wraps at 2^64).
struct PhiloxPosition {
  uint64_t seed;
  uint64_t stream;
  uint64_t offset;
};

enum class Distribution : int32_t {
  /// ((w >> 9) + 0.5) 2^-23, exact in float32 and inside (0, 1), w the element's word.
  kUniform,
  /// Box-Muller on the words (0, 1) and (2, 3) of a block: r cos t, r sin t with r = sqrt(-2 ln u0), t = 2 pi u1.
  kNormal,
};

/// Element i uses word i mod 4 of block floor(i / 4).
struct RandomArgs {
  Distribution distribution;
  PhiloxPosition generator;
  int64_t count;
  float* out;
};

/// out = u >= p ? x / (1 - p) : 0, u the uniform number of the element.
struct DropoutArgs {
  int64_t count;
  const float* x;
  /// In [0, 1).
  double p;
  PhiloxPosition generator;
  float* out;
};

}  // namespace statespace

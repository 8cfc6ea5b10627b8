/// What the one-step updates share: blocks of channels, the rows that sequences name, and vectors of float or double.
#pragma once

#include "real_vector.h"
#include "statespace/status.h"
#include "vector_math.h"

namespace statespace::STATESPACE_ISA_NS {

/// Channels of a block: a multiple of every vector length.
inline constexpr int64_t kBlock = 32;
static_assert(kBlock % kLanes == 0);

/// Functions of the updates: in float those that float kernels live on, in double those of real_vector.h.
template <typename Real>
struct UpdateMath;

template <>
struct UpdateMath<float> {
  static STATESPACE_FORCED Floats exp(Floats v) { return STATESPACE_ISA_NS::exp(v); }
  static STATESPACE_FORCED Floats softplus(Floats v) { return STATESPACE_ISA_NS::softplus(v); }
  static STATESPACE_FORCED Floats silu(Floats v) { return STATESPACE_ISA_NS::silu(v); }
};

template <>
struct UpdateMath<double> {
  using Vector = VectorOf<double>;
  static STATESPACE_FORCED Vector exp(const Vector& v) { return real_exp<double>(v); }
  static STATESPACE_FORCED Vector softplus(const Vector& v) { return real_softplus<double>(v); }
  static STATESPACE_FORCED Vector silu(const Vector& v) { return real_silu<double>(v); }
};

/// Rows that sequences name, checked before anything is written.
static inline Status check_rows(const int32_t* indices, int64_t batch, int64_t rows) noexcept {
  for (int64_t b = 0; indices != nullptr && b < batch; ++b) {
    if (indices[b] >= rows) return Status::kIndexOutOfRange;
  }
  return Status::kOk;
}

STATESPACE_INLINE int64_t row_of(const int32_t* indices, int64_t b) { return indices == nullptr ? b : indices[b]; }

/// Blocks that one claim takes: about 16 thousand state elements.
STATESPACE_INLINE int64_t blocks_per_claim(int64_t elements_per_block) {
  return larger<int64_t>(1, 16384 / larger<int64_t>(1, elements_per_block));
}

}  // namespace statespace::STATESPACE_ISA_NS

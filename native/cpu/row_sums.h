/// Sums over a row, in lanes; and loops over the vectors of a row.
#pragma once

#include "simd.h"

namespace statespace::STATESPACE_ISA_NS {

/// Calls body(i, count) for the vectors of a row of n: count = kLanes, and less at the end.
template <typename Body>
STATESPACE_INLINE void for_vectors(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, int64_t{kLanes});
  if (i < n) body(i, n - i);
}

/// `count` floats at p; a whole vector where count says so, which the compiler sees after inlining.
STATESPACE_INLINE Floats load_some(const float* p, int64_t count) {
  return count == kLanes ? load(p) : load_partial(p, count);
}

STATESPACE_INLINE void store_some(float* p, Floats v, int64_t count) {
  if (count == kLanes) {
    store(p, v);
  } else {
    store_partial(p, v, count);
  }
}

/// out[i] = partials[0][i] + partials[1][i] + ..., joined in order and in double; partials (count, n).
static inline void add_partials(const float* partials, int64_t count, int64_t n, float* out) noexcept {
  for_vectors(n, [&](int64_t i, int64_t lanes) {
    Doubles sum = {};
    for (int64_t block = 0; block < count; ++block) sum += to_doubles(load_some(partials + block * n + i, lanes));
    store_some(out + i, __builtin_convertvector(sum, Floats), lanes);
  });
}

}  // namespace statespace::STATESPACE_ISA_NS

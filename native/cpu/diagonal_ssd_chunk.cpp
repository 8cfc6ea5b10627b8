/// State panels and decays of the diagonal SSD scan.
#include "diagonal_ssd_chunk.h"

#include "gemm_kernel.h"
#include "scan_math.h"

namespace statespace::STATESPACE_ISA_NS {

void load_panels(const float* from, int64_t p_count, int64_t d_state, float* panels) noexcept {
  for_state_panels(p_count, [&](int64_t p, int64_t vectors, int64_t count) {
    float* panel = panels + p * d_state;
    const int64_t width = vectors * kLanes;
    if (from == nullptr || count < width) fill_zero(panel, d_state * width);
    if (from != nullptr) transpose_into(from + p * d_state, d_state, count, d_state, panel, width);
  });
}

void store_panels(const float* panels, int64_t p_count, int64_t d_state, float* to) noexcept {
  for_state_panels(p_count, [&](int64_t p, int64_t vectors, int64_t count) {
    transpose_into(panels + p * d_state, vectors * kLanes, d_state, count, to + p * d_state, d_state);
  });
}

void chunk_decays(const float* A, int64_t d_state, const float* delta, int64_t q, float* decays) noexcept {
  const Exp2Constants constants = exp2_constants();
  const int64_t row = round_up(d_state, kLanes);
  for (int64_t n = 0; n < d_state; n += kLanes) {
    const Floats rate = load_rest(A + n, d_state - n) * kLog2E;
    for (int64_t t = 0; t < q; ++t) store(decays + t * row + n, exp2_of(rate * delta[t], constants));
  }
}

}  // namespace statespace::STATESPACE_ISA_NS

/// What both directions of the diagonal SSD scan share: panels of the state, and the decays of one chunk.
///
/// Work is cut as in the SSD scan (SsdPlan). The state of a head lies in panels of kPanelVectors vectors of channels,
/// the last one narrower: panel after panel, each (N, width) and contiguous.
#pragma once

#include "ssd_chunk.h"
#include "statespace/diagonal_ssd.h"

namespace statespace::STATESPACE_ISA_NS {

/// Vectors of channels that one pass takes together, so that the numbers that channels share (decay, B, C) are
/// broadcast once for all of them.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int kPanelVectors = 4;
#else
inline constexpr int kPanelVectors = 2;
#endif
inline constexpr int64_t kPanelWidth = kPanelVectors * kLanes;

/// Calls visit(first channel, vectors, channels that count) for every panel of `p_count` channels.
template <typename Visit>
STATESPACE_INLINE void for_state_panels(int64_t p_count, const Visit& visit) {
  for (int64_t p = 0; p < p_count; p += kPanelWidth) {
    const int64_t count = smaller(kPanelWidth, p_count - p);
    visit(p, ceil_div(count, kLanes), count);
  }
}

/// Reads a (p_count, N) state of the caller into panels; zero where `from` is null, and in lanes beyond p_count.
void load_panels(const float* from, int64_t p_count, int64_t d_state, float* panels) noexcept;

/// The way back.
void store_panels(const float* panels, int64_t p_count, int64_t d_state, float* to) noexcept;

/// decays[t * row + n] = exp(delta[t] A[n]) for t < q and n < row = d_state in whole vectors; A (N) of one head.
void chunk_decays(const float* A, int64_t d_state, const float* delta, int64_t q, float* decays) noexcept;

/// Checks shared by both directions, in every precision. Nothing is read but the sequences.
template <typename Real>
STATESPACE_INLINE Status check_diagonal_ssd(const DiagonalSsdInputsOf<Real>& args) noexcept {
  // Without states the rates are empty and may have no address.
  DiagonalSsdInputsOf<Real> given = args;
  static constexpr Real kNone = 0;
  if (args.d_state == 0 && given.A == nullptr) given.A = &kNone;
  return check_ssd(given);
}

}  // namespace statespace::STATESPACE_ISA_NS

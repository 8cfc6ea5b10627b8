/// Compiled once per instruction set; see rate_probes.h.
#include "rate_probes.h"

#include "simd.h"

namespace statespace::STATESPACE_ISA_NS {

namespace {

// Registers enough to hide the latency of an FMA, and two left for the operands.
#if defined(__AVX512F__)
constexpr int kChains = 24;
#else
constexpr int kChains = 12;
#endif
constexpr int64_t kSteps = 1000000;

double fma_rate(float* sink) noexcept {
  Floats sums[kChains];
  Floats factor = Floats{} + 0.999f;
  Floats term = Floats{} + 1e-3f;
  for (int i = 0; i < kChains; ++i) sums[i] = Floats{} + static_cast<float>(i);
#if defined(__x86_64__)
  asm volatile("" : "+x"(factor), "+x"(term));
#else
  asm volatile("" : "+w"(factor), "+w"(term));
#endif
  for (int64_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 24
    for (int i = 0; i < kChains; ++i) sums[i] = fma(sums[i], factor, term);
  }
  float total = 0;
  for (int i = 0; i < kChains; ++i) total += sums[i][0];
  *sink = total;
  return 2.0 * kLanes * kChains * kSteps;
}

template <bool kPastCaches>
void triad_chunk(const bench::Triad& t, int64_t chunk) noexcept {
  const Floats factor = Floats{} + 3.0f;
  for (int64_t i = chunk * bench::kTriadChunk; i < (chunk + 1) * bench::kTriadChunk; i += kLanes) {
    const Floats sum = fma(factor, load(t.c + i), load(t.b + i));
    if (kPastCaches) {
      stream(t.a + i, sum);
    } else {
      store(t.a + i, sum);
    }
  }
  if (kPastCaches) stream_fence();
}

}  // namespace

extern const bench::RateProbes rate_probes;
const bench::RateProbes rate_probes = {fma_rate, triad_chunk<false>, triad_chunk<true>};

}  // namespace statespace::STATESPACE_ISA_NS

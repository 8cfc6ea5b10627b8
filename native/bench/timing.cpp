#include "timing.h"

#include <ctime>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "bench_tensor.h"
#include "rate_probes.h"
#include "statespace/runtime.h"
#include "thread_pool.h"

namespace statespace {
#define STATESPACE_PROBES_OF(isa) \
  namespace isa {                 \
  extern const bench::RateProbes rate_probes; \
  }
#if defined(STATESPACE_HAVE_SSE2)
STATESPACE_PROBES_OF(sse2)
STATESPACE_PROBES_OF(avx2)
STATESPACE_PROBES_OF(avx512)
#else
STATESPACE_PROBES_OF(neon)
#endif
#undef STATESPACE_PROBES_OF
}  // namespace statespace

namespace statespace::bench {

const RateProbes& rate_probes() {
#if defined(STATESPACE_HAVE_SSE2)
  const std::string_view isa = isa_name();
  return isa == "avx512" ? avx512::rate_probes : isa == "avx2" ? avx2::rate_probes : sse2::rate_probes;
#else
  return neon::rate_probes;
#endif
}

double now() {
  static const bool cpu_time = std::getenv("STATESPACE_BENCH_CPU_TIME") != nullptr;
  timespec time;
  clock_gettime(cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double best_time(void (*body)(void* context), void* context, int repetitions) {
  double best = 1e30;
  double total = 0;
  body(context);
  for (int i = 0; i < repetitions || (total < 0.2 && i < 10000); ++i) {
    const double start = now();
    body(context);
    const double time = now() - start;
    total += time;
    if (time < best) best = time;
  }
  return best;
}

namespace {

constexpr int64_t kTriadChunks = 64;

void spin_fma(void* context, int64_t, int32_t worker) noexcept {
  rate_probes().fma(static_cast<float*>(context) + worker * 64);
}

template <bool kPastCaches>
void run_triad_chunk(void* context, int64_t chunk, int32_t) noexcept {
  const Triad& triad = *static_cast<const Triad*>(context);
  (kPastCaches ? rate_probes().stream_triad : rate_probes().triad)(triad, chunk);
}

template <bool kPastCaches>
double rate_of_triad() {
  const int64_t count = kTriadChunk * kTriadChunks;
  Tensor a(count), b(count, 1, 2), c(count, 1, 2);
  Triad triad{a.data(), b.data(), c.data()};
  const double time =
      best_time([&] { parallel_for(kTriadChunks, worker_limit(), run_triad_chunk<kPastCaches>, &triad); });
  return 12e-9 * static_cast<double>(count) / time;
}

}  // namespace

double fma_peak() {
  const int32_t workers = worker_limit();
  std::vector<float> sink(static_cast<size_t>(workers) * 64);
  const double time = best_time([&] { parallel_for(workers, workers, spin_fma, sink.data()); });
  return 1e-9 * rate_probes().fma(sink.data()) * workers / time;
}

double triad_rate() { return rate_of_triad<false>(); }
double stream_triad_rate() { return rate_of_triad<true>(); }

void report(const char* name, double seconds, double amount, const char* unit, double peak) {
  const double rate = amount / seconds * 1e-9;
  std::printf("%-44s %9.3f ms %8.1f %s", name, seconds * 1e3, rate, unit);
  if (peak > 0) std::printf("  %5.1f %% of peak", 100 * rate / peak);
  std::printf("\n");
}

}  // namespace statespace::bench

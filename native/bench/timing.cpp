#include "timing.h"

#include <ctime>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "statespace/runtime.h"
#include "thread_pool.h"

namespace statespace::bench {

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

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kChains = 24;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
constexpr int kChains = 12;
#else
constexpr int kLanes = 4;
constexpr int kChains = 12;
#endif
typedef float Vector __attribute__((vector_size(kLanes * 4)));
constexpr int64_t kSteps = 2000000;

/// Independent chains of fused multiply-adds, enough to hide their latency.
void spin_fma(void* context, int64_t, int32_t worker) noexcept {
  Vector sums[kChains];
  Vector factor = Vector{} + 0.999f;
  Vector term = Vector{} + 1e-3f;
  for (int i = 0; i < kChains; ++i) sums[i] = Vector{} + static_cast<float>(i);
  asm volatile("" : "+x"(factor), "+x"(term));
  for (int64_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 24
    for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * factor + term;
  }
  float total = 0;
  for (int i = 0; i < kChains; ++i) total += sums[i][0];
  static_cast<float*>(context)[worker * 64] = total;
}

struct Triad {
  float* a;
  const float* b;
  const float* c;
};

constexpr int64_t kTriadChunk = 1 << 20;
constexpr int64_t kTriadChunks = 64;

void triad_chunk(void* context, int64_t chunk, int32_t) noexcept {
  const Triad& t = *static_cast<const Triad*>(context);
  for (int64_t i = chunk * kTriadChunk; i < (chunk + 1) * kTriadChunk; ++i) t.a[i] = t.b[i] + 3.0f * t.c[i];
}

}  // namespace

double fma_peak() {
  const int32_t workers = worker_limit();
  std::vector<float> sink(static_cast<size_t>(workers) * 64);
  const double time = best_time([&] { parallel_for(workers, workers, spin_fma, sink.data()); });
  return 2e-9 * kLanes * kChains * kSteps * workers / time;
}

double triad_rate() {
  const size_t count = static_cast<size_t>(kTriadChunk * kTriadChunks);
  std::vector<float> a(count, 1), b(count, 2), c(count, 3);
  Triad triad{a.data(), b.data(), c.data()};
  const double time = best_time([&] { parallel_for(kTriadChunks, worker_limit(), triad_chunk, &triad); });
  return 12e-9 * static_cast<double>(count) / time;
}

void report(const char* name, double seconds, double amount, const char* unit, double peak) {
  const double rate = amount / seconds * 1e-9;
  std::printf("%-44s %9.3f ms %8.1f %s", name, seconds * 1e3, rate, unit);
  if (peak > 0) std::printf("  %5.1f %% of peak", 100 * rate / peak);
  std::printf("\n");
}

}  // namespace statespace::bench

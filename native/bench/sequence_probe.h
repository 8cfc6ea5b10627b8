/// What the machine can do, measured: the yardsticks of the sequence kernel benchmarks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "statespace/kernels.h"
#include "statespace/runtime.h"

namespace statespace::bench {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Best of `repeats` runs, in milliseconds, after one run that warms caches and threads.
template <typename Run>
double best_ms(int repeats, const Run& run) {
  run();
  double best = 1e300;
  for (int i = 0; i < repeats; ++i) {
    const double start = seconds();
    run();
    best = std::min(best, seconds() - start);
  }
  return best * 1e3;
}

#if defined(__x86_64__)
#define STATESPACE_CHAIN(op, r)                                                                              \
  op r "0\n" op r "1\n" op r "2\n" op r "3\n" op r "4\n" op r "5\n" op r "6\n" op r "7\n" op r "8\n" op r "9\n"

inline void fma_chain_512(int64_t rounds) {
  for (int64_t i = 0; i < rounds; ++i) {
    asm volatile(STATESPACE_CHAIN("vfmadd231ps %%zmm12, %%zmm13, ", "%%zmm")::
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9");
  }
}
inline void fma_chain_256(int64_t rounds) {
  for (int64_t i = 0; i < rounds; ++i) {
    asm volatile(STATESPACE_CHAIN("vfmadd231ps %%ymm12, %%ymm13, ", "%%ymm")::
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9");
  }
}
inline void mul_chain_128(int64_t rounds) {
  for (int64_t i = 0; i < rounds; ++i) {
    asm volatile(STATESPACE_CHAIN("mulps %%xmm12, ", "%%xmm")::
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9");
  }
}
#undef STATESPACE_CHAIN
#endif

/// Nanoseconds of one vector product (FMA where there is one) on one core of instruction set `isa`; 0 if unknown.
inline double product_ns(const char* isa) {
#if defined(__x86_64__)
  constexpr int64_t kRounds = 2'000'000;
  const auto run = [&] {
    if (std::strcmp(isa, "avx512") == 0) fma_chain_512(kRounds);
    if (std::strcmp(isa, "avx2") == 0) fma_chain_256(kRounds);
    if (std::strcmp(isa, "sse2") == 0) mul_chain_128(kRounds);
  };
  return best_ms(5, run) * 1e6 / (kRounds * 10.0);
#else
  (void)isa;
  return 0;
#endif
}

inline int lanes_of(const char* isa) {
  return std::strcmp(isa, "avx512") == 0 ? 16 : std::strcmp(isa, "avx2") == 0 ? 8 : 4;
}

/// GB/s that `threads` cores move through memory together in a[i] = b[i] + s c[i] (12 bytes an element).
inline double triad_gbs(int threads) {
  constexpr int64_t kCount = int64_t{1} << 25;
  static std::vector<float> a(kCount), b(kCount, 1.0f), c(kCount, 2.0f);
  const double ms = best_ms(4, [&] {
    std::vector<std::thread> crew;
    for (int w = 0; w < threads; ++w) {
      crew.emplace_back([=] {
        const int64_t begin = kCount * w / threads, end = kCount * (w + 1) / threads;
        for (int64_t i = begin; i < end; ++i) a[i] = b[i] + 0.5f * c[i];
      });
    }
    for (std::thread& t : crew) t.join();
  });
  return 12e-6 * static_cast<double>(kCount) / ms;
}

/// Floats in memory aligned as the runtime aligns tensors.
class Floats {
 public:
  explicit Floats(int64_t count, float value = 0)
      : count_(count), data_(static_cast<float*>(allocate(static_cast<size_t>(count) * sizeof(float)))) {
    for (int64_t i = 0; i < count; ++i) data_[i] = value;
  }
  ~Floats() { deallocate(data_); }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  float* data() { return data_; }
  float& operator[](int64_t i) { return data_[i]; }
  int64_t size() const { return count_; }

 private:
  int64_t count_;
  float* data_;
};

inline void fill(Floats& v, float low, float high) {
  uint32_t state = 12345;
  for (int64_t i = 0; i < v.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    v[i] = low + (high - low) * static_cast<float>(state >> 8) * 0x1p-24f;
  }
}

/// The machine's yardsticks for one instruction set, printed once.
struct Yardstick {
  const char* isa;
  double product;  // ns per vector product, one core
  double triad;    // GB/s on all threads
};

inline Yardstick measure_yardstick() {
  const Yardstick y = {isa_name(), product_ns(isa_name()), triad_gbs(num_threads())};
  std::printf("isa %s, %d threads, vector product %.3f ns per core, triad %.1f GB/s\n", y.isa, num_threads(),
              y.product, y.triad);
  return y;
}

}  // namespace statespace::bench

/// Inner loops of the machine's limits, compiled once per instruction set as the kernels are.
#pragma once

#include <cstdint>

namespace statespace::bench {

/// Operands of a triad, c from 64-byte aligned memory.
struct Triad {
  float* a;
  const float* b;
  const float* c;
};

inline constexpr int64_t kTriadChunk = 1 << 20;

struct RateProbes {
  /// Independent chains of fused multiply-adds; returns how many operations it did, two to each lane and FMA.
  double (*fma)(float* sink) noexcept;
  /// a = b + 3 c over one chunk, with ordinary stores and with stores past the caches.
  void (*triad)(const Triad& triad, int64_t chunk) noexcept;
  void (*stream_triad)(const Triad& triad, int64_t chunk) noexcept;
};

/// Those of the instruction set that the kernels use now.
const RateProbes& rate_probes();

}  // namespace statespace::bench

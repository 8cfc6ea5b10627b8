/// Timing of kernels and the machine's own limits to compare them with.
#pragma once

#include <cstdint>

namespace statespace::bench {

/// Seconds of a steady clock; with STATESPACE_BENCH_CPU_TIME set, CPU seconds of the calling thread, which tell
/// something of single-threaded runs even on a busy machine.
double now();

/// The shortest time of one run of body(context), over at least `repetitions` runs and 0.2 s.
double best_time(void (*body)(void* context), void* context, int repetitions);

template <typename Body>
double best_time(const Body& body, int repetitions = 5) {
  return best_time([](void* context) { (*static_cast<const Body*>(context))(); },
                   const_cast<void*>(static_cast<const void*>(&body)), repetitions);
}

/// Measured peaks with the threads and the instruction set of now: FMA rate in GFLOP/s (two per fused multiply-add and
/// lane) and DRAM triad rates in GB/s (a = b + s c, 12 bytes per element), with ordinary stores and past the caches.
double fma_peak();
double triad_rate();
double stream_triad_rate();

/// One line: name, milliseconds, and rate against peak.
void report(const char* name, double seconds, double amount, const char* unit, double peak);

}  // namespace statespace::bench

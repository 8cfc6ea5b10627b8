/// Kernel-side face of the thread pool: a chunk is a lambda.
#pragma once

#include "simd.h"
#include "thread_pool.h"

namespace statespace::STATESPACE_ISA_NS {

/// Runs body(chunk, worker) for every chunk in [0, chunks). The lambda's type is local to its caller, so the
/// instances of this template stay inside one instruction set.
template <typename Body>
static inline void for_chunks(int64_t chunks, int32_t workers, const Body& body) noexcept {
  parallel_for(
      chunks, workers,
      [](void* context, int64_t chunk, int32_t worker) noexcept {
        (*static_cast<const Body*>(context))(chunk, worker);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

/// Runs body(begin, end) over [0, count) in pieces of `grain`, the last one shorter. The grain may depend on the
/// shape only.
template <typename Body>
static inline void for_ranges(int64_t count, int64_t grain, const Body& body) noexcept {
  for_chunks(ceil_div(count, grain), worker_limit(), [&](int64_t chunk, int32_t) noexcept {
    const int64_t begin = chunk * grain;
    body(begin, smaller(begin + grain, count));
  });
}

/// Elements of one chunk of cheap elementwise work: about 10 microseconds of memory traffic.
inline constexpr int64_t kElementGrain = 32768;

}  // namespace statespace::STATESPACE_ISA_NS

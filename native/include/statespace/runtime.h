/// Process-wide state of the CPU kernels: worker threads, the chosen instruction set, and aligned memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "statespace/status.h"

namespace statespace {

/// Alignment of `allocate`, in bytes: one cache line, and one AVX-512 vector.
inline constexpr size_t kAlignment = 64;

/// Threads that work on one kernel call, the caller included.
int32_t num_threads() noexcept;

/// Sets `num_threads`, at least 1; 0 returns to `default_num_threads`. Results do not depend on it.
/// Safe at any time: calls under way keep the number they began with.
Status set_num_threads(int32_t count) noexcept;

/// `STATESPACE_THREADS` where it is a positive integer, or else the CPUs this process may use: its affinity mask cut by its cgroup quota.
int32_t default_num_threads() noexcept;

/// The instruction set of `cpu_kernels`: "sse2", "avx2", "avx512" or "neon".
const char* isa_name() noexcept;

/// Chooses a lower instruction set than the best one (as the variable STATESPACE_ISA does at start);
/// null returns to the best. kUnsupported when this machine or this build lacks it.
Status force_isa(const char* name) noexcept;

/// kUnsupported when STATESPACE_ISA names an instruction set that cannot run here; the best one is used then, and
/// whoever loads the kernels should say so.
Status isa_request() noexcept;

/// Names of the instruction sets that can be forced here, worst first; returns how many there are.
int32_t available_isas(const char** names, int32_t capacity) noexcept;

/// Memory for kernel outputs, 64-byte aligned and uninitialised; null when there is none. `bytes` may be 0.
void* allocate(size_t bytes) noexcept;

/// Gives memory of `allocate` back; null is allowed.
void deallocate(void* memory) noexcept;

/// Counts the users of the runtime (one per Node environment). The last `release_runtime` stops the worker
/// threads and frees cached scratch memory; the next kernel call starts them again.
void acquire_runtime() noexcept;
void release_runtime() noexcept;

/// Frees the scratch memory that finished calls left for the next ones.
void trim_scratch() noexcept;

}  // namespace statespace

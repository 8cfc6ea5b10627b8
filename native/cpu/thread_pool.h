/// The process's worker threads: a claim pool.
///
/// A call is cut into chunks by its shape, never by the number of threads. Chunks come off one atomic counter; the
/// caller takes chunks too, and at the end waits only for chunks that a worker really took. So a preempted or
/// missing worker costs nothing but its help, and several threads may call at once.
#pragma once

#include <cstdint>

namespace statespace {

/// Does chunk `chunk`. `worker` is below the `workers` of the call and is held by one thread at a time during it:
/// an index into per-worker scratch memory.
using ChunkFn = void (*)(void* context, int64_t chunk, int32_t worker) noexcept;

/// The number of workers to plan scratch memory for; pass it to `parallel_for`.
int32_t worker_limit() noexcept;

/// Runs fn for every chunk in [0, chunks), on at most `workers` threads, and returns when all are done. The order
/// is not fixed: chunks write apart from one another. A call from inside a chunk runs on its own thread alone.
void parallel_for(int64_t chunks, int32_t workers, ChunkFn fn, void* context) noexcept;

/// Stops and joins the worker threads. Calls under way finish on their own thread; later ones start threads again.
void stop_workers() noexcept;

}  // namespace statespace

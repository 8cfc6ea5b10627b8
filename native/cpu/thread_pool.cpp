/// The claim pool of thread_pool.h.
#include "thread_pool.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include "statespace/runtime.h"
#include "system_thread.h"
#include "thread_count.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace statespace {
namespace {

constexpr int32_t kMaxThreads = 256;
/// Calls that may be helped at the same time; further ones run on their own thread alone.
constexpr int32_t kSlots = 8;
/// Pauses before a worker goes to sleep: about 50 microseconds, longer than the serial gap between two kernels.
constexpr int kSpins = 4000;

void pause_cpu() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Chunks of one job; longer loops are several jobs.
constexpr int64_t kMostChunks = int64_t{1} << 31;

/// One parallel_for under way; it lives on the caller's stack.
///
/// Even workers take chunks from the front, odd ones from the back, so that from call to call a thread meets much the
/// same part of the data and finds it in its own cache.
struct Job {
  ChunkFn fn;
  void* context;
  int64_t first;
  int64_t chunks;
  int32_t workers;
  /// How many were claimed at the front (low half) and at the back (high half), counting claims in vain.
  std::atomic<uint64_t> claimed{0};

  void work(int32_t worker) noexcept {
    const bool at_back = worker % 2 != 0;
    const uint64_t one = at_back ? uint64_t{1} << 32 : 1;
    for (;;) {
      const uint64_t before = claimed.fetch_add(one, std::memory_order_relaxed);
      const int64_t front = static_cast<int64_t>(before & 0xffffffffu);
      const int64_t back = static_cast<int64_t>(before >> 32);
      if (front + back >= chunks) return;
      fn(context, first + (at_back ? chunks - 1 - back : front), worker);
    }
  }
};

/// Where a job is offered. `visitors` counts workers that may hold its pointer: a worker first counts itself, then
/// reads `job`; the caller first withdraws `job`, then waits for zero. Both are sequentially consistent, so either
/// the worker sees the withdrawal or the caller sees the worker.
struct alignas(64) Slot {
  std::atomic<Job*> job{nullptr};
  std::atomic<int32_t> visitors{0};
};

/// Everything the threads share. A fork leaves the child with none of the threads, so the child drops the whole
/// pool and makes a new one at its first call.
struct Pool {
  Slot slots[kSlots];
  /// Changes whenever a job is offered or the pool stops.
  alignas(64) std::atomic<uint32_t> epoch{0};
  std::atomic<int32_t> sleepers{0};
  std::atomic<bool> stopping{false};
  std::atomic<int32_t> started{0};
  SystemThread threads[kMaxThreads];
};

std::atomic<Pool*> current_pool{nullptr};
/// Guards starting and stopping; a spin lock, because the child of a fork must be able to reset it.
std::atomic<bool> pool_busy{false};
std::atomic<int32_t> wanted_threads{0};
/// Calls that may hold a pointer to the pool.
std::atomic<int32_t> calls_under_way{0};
thread_local bool inside_chunk = false;

void lock_pool() noexcept {
  while (pool_busy.exchange(true, std::memory_order_acquire)) yield_thread();
}

void unlock_pool() noexcept { pool_busy.store(false, std::memory_order_release); }

void forget_pool_after_fork() noexcept {
  current_pool.store(nullptr, std::memory_order_relaxed);
  pool_busy.store(false, std::memory_order_relaxed);
  calls_under_way.store(0, std::memory_order_relaxed);
}

bool help_once(Pool& pool, int32_t worker) noexcept {
  bool helped = false;
  for (Slot& slot : pool.slots) {
    if (slot.job.load(std::memory_order_relaxed) == nullptr) continue;
    slot.visitors.fetch_add(1);
    if (Job* job = slot.job.load(); job != nullptr && worker < job->workers) {
      job->work(worker);
      helped = true;
    }
    slot.visitors.fetch_sub(1);
  }
  return helped;
}

struct WorkerStart {
  Pool* pool;
  int32_t worker;
};

void worker_main(void* raw) noexcept {
  const WorkerStart start = *static_cast<WorkerStart*>(raw);
  delete static_cast<WorkerStart*>(raw);
  Pool& pool = *start.pool;
  inside_chunk = true;  // a kernel called from a chunk does not fan out again
  for (;;) {
    // The epoch first: a stop or a job that comes after this look at it changes it, and `wait` returns at once.
    const uint32_t seen = pool.epoch.load();
    if (pool.stopping.load(std::memory_order_acquire)) return;
    bool idle = !help_once(pool, start.worker);
    for (int spin = 0; idle && spin < kSpins; ++spin) {
      pause_cpu();
      idle = pool.epoch.load(std::memory_order_relaxed) == seen;
    }
    if (!idle) continue;
    pool.sleepers.fetch_add(1);
    pool.epoch.wait(seen);
    pool.sleepers.fetch_sub(1);
  }
}

/// Starts threads until `count` run, as far as the system gives them. The lock is held.
void start_threads(Pool& pool, int32_t count) noexcept {
  for (int32_t started = pool.started.load(); started < count; pool.started.store(++started)) {
    auto* start = new (std::nothrow) WorkerStart{&pool, started + 1};
    if (start == nullptr) return;
    if (!start_thread(pool.threads[started], worker_main, start)) {
      delete start;
      return;
    }
  }
}

/// Not `new`: of types with an alignment like this one it is too young a function of the C++ runtime for older systems.
Pool* make_pool() noexcept {
  void* memory = allocate(sizeof(Pool));
  return memory == nullptr ? nullptr : new (memory) Pool;
}

/// The pool with (as far as possible) `count` workers, entered: `leave_pool` must follow. Null when there is none.
Pool* enter_pool(int32_t count) noexcept {
  calls_under_way.fetch_add(1);
  Pool* pool = current_pool.load();
  if (pool != nullptr && pool->started.load() >= count) return pool;
  lock_pool();
  pool = current_pool.load();
  if (pool == nullptr) {
    static std::atomic<bool> fork_handled{false};
    if (!fork_handled.exchange(true)) call_in_forked_child(forget_pool_after_fork);
    pool = make_pool();
    current_pool.store(pool);
  }
  if (pool != nullptr) start_threads(*pool, count);
  unlock_pool();
  return pool;
}

void leave_pool() noexcept { calls_under_way.fetch_sub(1); }

Slot* offer(Pool& pool, Job& job) noexcept {
  for (Slot& slot : pool.slots) {
    Job* expected = nullptr;
    if (!slot.job.compare_exchange_strong(expected, &job)) continue;
    pool.epoch.fetch_add(1);
    // Sleepers are counted before they read the epoch for the last time, so none is missed.
    int64_t wanted = job.chunks - 1;
    if (pool.started.load() >= job.workers) {
      pool.epoch.notify_all();  // some sleepers may not take part in this job
      return &slot;
    }
    for (int32_t asleep = pool.sleepers.load(); asleep > 0 && wanted > 0; --asleep, --wanted) {
      pool.epoch.notify_one();
    }
    return &slot;
  }
  return nullptr;
}

void withdraw(Slot& slot) noexcept {
  slot.job.store(nullptr);
  for (int spin = 0; slot.visitors.load() != 0; ++spin) {
    if (spin < kSpins) {
      pause_cpu();
    } else {
      yield_thread();
    }
  }
}

}  // namespace

int32_t worker_limit() noexcept { return inside_chunk ? 1 : num_threads(); }

void parallel_for(int64_t chunks, int32_t workers, ChunkFn fn, void* context) noexcept {
  if (chunks <= 1 || workers <= 1 || inside_chunk) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) fn(context, chunk, 0);
    return;
  }
  Pool* pool = enter_pool(workers - 1);
  for (int64_t first = 0; first < chunks; first += kMostChunks) {
    const int64_t left = chunks - first;
    Job job{fn, context, first, left < kMostChunks ? left : kMostChunks, workers};
    Slot* slot = pool == nullptr ? nullptr : offer(*pool, job);
    inside_chunk = true;
    job.work(0);
    inside_chunk = false;
    if (slot != nullptr) withdraw(*slot);
  }
  leave_pool();
}

void stop_workers() noexcept {
  lock_pool();
  Pool* pool = current_pool.exchange(nullptr);
  unlock_pool();
  if (pool == nullptr) return;
  pool->stopping.store(true, std::memory_order_release);
  pool->epoch.fetch_add(1);
  pool->epoch.notify_all();
  for (int32_t i = 0; i < pool->started.load(); ++i) join_thread(pool->threads[i]);
  // A call that entered before the exchange may still look at the slots.
  while (calls_under_way.load() != 0) yield_thread();
  pool->~Pool();
  deallocate(pool);
}

int32_t num_threads() noexcept {
  const int32_t wanted = wanted_threads.load(std::memory_order_relaxed);
  if (wanted > 0) return wanted;
  const int32_t found = default_num_threads();
  int32_t unset = 0;
  wanted_threads.compare_exchange_strong(unset, found);
  return found;
}

Status set_num_threads(int32_t count) noexcept {
  if (count < 0 || count > kMaxThreads) return Status::kBadArgument;
  wanted_threads.store(count == 0 ? default_num_threads() : count);
  return Status::kOk;
}

}  // namespace statespace

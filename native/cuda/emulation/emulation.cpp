#include "emulation/emulation.h"

#include <sys/mman.h>

#include <cstdio>
#include <vector>

#include "emulation/fibre.h"
#include "emulation/race_check.h"

namespace statespace::emulation {
namespace {

constexpr int kMaxThreads = 1024;
constexpr size_t kGuardBytes = 4096;
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kStackBytes = 256 * 1024;
#else
constexpr size_t kStackBytes = 64 * 1024;
#endif

constexpr int kMostMessages = 10;

enum class Wait { kNone, kBlock, kWarp, kDone };

struct Thread {
  Fibre fibre;
  Place place;
  Wait wait = Wait::kNone;
};

/// What is shown and awaited in a warp. A lane that is one exchange ahead writes to the other half of `slots`.
struct Warp {
  WarpSlot slots[2][kWarpSize];
  uint32_t mask = 0;
  uint32_t arrived = 0;
  uint32_t epoch = 0;
};

struct Machine {
  Machine();
  ~Machine();
  void run_block(int64_t block, int64_t blocks) noexcept;
  void fail(const char* reason) noexcept;
  void wait(Wait reason) noexcept;
  void note_time() noexcept;

  char* stacks = nullptr;
  Fibre scheduler;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<unsigned char> shared;
  Thread* running = nullptr;
  int thread_count = 0;
  int at_barrier = 0;
  uint32_t block_epoch = 0;
  uint64_t launch = 0;
  int64_t block = 0;
  bool failed = false;
  void (*body)(const void*) = nullptr;
  const void* closure = nullptr;
};

/// One for each thread of the host that launches.
Machine& machine() noexcept {
  static thread_local Machine instance;
  return instance;
}

Machine::Machine() : threads(kMaxThreads), warps(kMaxThreads / kWarpSize) {
  void* memory = mmap(nullptr, kMaxThreads * kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  stacks = static_cast<char*>(memory);
  for (int i = 0; i < kMaxThreads; ++i) {
    char* low = stacks + i * kStackBytes;
    mprotect(low, kGuardBytes, PROT_NONE);
    threads[i].fibre.stack = low + kGuardBytes;
    threads[i].fibre.stack_bytes = kStackBytes - kGuardBytes;
  }
}

Machine::~Machine() {
  if (stacks != nullptr) munmap(stacks, kMaxThreads * kStackBytes);
}

void Machine::fail(const char* reason) noexcept {
  static int printed = 0;
  if (!failed && printed++ < kMostMessages) {
    std::fprintf(stderr, "emulated launch %llu, block %lld, thread %d: %s\n", static_cast<unsigned long long>(launch),
                 static_cast<long long>(block), running == nullptr ? -1 : static_cast<int>(running - threads.data()),
                 reason);
  }
  failed = true;
}

/// Lets the others run until the wait is over.
void Machine::wait(Wait reason) noexcept {
  Thread& self = *running;
  self.wait = reason;
  while (self.wait == reason) switch_fibre(self.fibre, scheduler, false);
  note_time();
}

/// Tells the race check who runs, and how often its block and its warp have synchronised.
void Machine::note_time() noexcept {
  const auto thread = static_cast<int32_t>(running - threads.data());
  watch.stamp = {watch.stamp.run, thread, block_epoch, warps[thread / kWarpSize].epoch};
}

void thread_main() {
  Machine& m = machine();
  enter_fibre(m.scheduler);
  m.note_time();
  m.body(m.closure);
  Thread& self = *m.running;
  self.wait = Wait::kDone;
  switch_fibre(self.fibre, m.scheduler, true);
}

void Machine::run_block(int64_t index, int64_t blocks) noexcept {
  block = index;
  ++watch.stamp.run;
  at_barrier = 0;
  block_epoch = 0;
  if (!shared.empty()) std::memset(shared.data(), 0xff, shared.size());
  for (int i = 0; i < thread_count; ++i) {
    threads[i].wait = Wait::kNone;
    threads[i].place = {{static_cast<unsigned>(i)},
                        {static_cast<unsigned>(index)},
                        {static_cast<unsigned>(thread_count)},
                        {static_cast<unsigned>(blocks)}};
    prepare_fibre(threads[i].fibre, thread_main);
  }
  for (Warp& warp : warps) warp.mask = warp.arrived = warp.epoch = 0;
  // Another first thread and another direction for each launch.
  const auto first = static_cast<int>(launch * 7 % static_cast<uint64_t>(thread_count));
  const int step = launch % 2 == 0 ? 1 : thread_count - 1;
  for (bool moved = true; moved && !failed;) {
    moved = false;
    for (int k = 0, i = first; k < thread_count && !failed; ++k, i = (i + step) % thread_count) {
      if (threads[i].wait != Wait::kNone) continue;
      moved = true;
      running = &threads[i];
      switch_fibre(scheduler, threads[i].fibre, false);
      running = nullptr;
    }
  }
  for (int i = 0; i < thread_count && !failed; ++i) {
    if (threads[i].wait == Wait::kDone) continue;
    running = &threads[i];
    fail(threads[i].wait == Wait::kBlock ? "waits at __syncthreads() for threads that never come"
                                         : "waits in a warp for lanes that never come");
  }
  running = nullptr;
}

}  // namespace

const Place& place() noexcept { return machine().running->place; }

void* shared_bytes() noexcept { return machine().shared.data(); }

void sync_block() noexcept {
  Machine& m = machine();
  if (++m.at_barrier < m.thread_count) return m.wait(Wait::kBlock);
  m.at_barrier = 0;
  ++m.block_epoch;
  for (int i = 0; i < m.thread_count; ++i) {
    if (m.threads[i].wait == Wait::kBlock) m.threads[i].wait = Wait::kNone;
  }
  m.note_time();
}

const WarpSlot* exchange(uint32_t mask, const void* value, size_t bytes) noexcept {
  Machine& m = machine();
  const int self = static_cast<int>(m.running - m.threads.data());
  const uint32_t bit = 1u << (self % kWarpSize);
  Warp& warp = m.warps[self / kWarpSize];
  if (warp.arrived == 0) warp.mask = mask;
  if (warp.mask != mask || (mask & bit) == 0) m.fail("lanes of one warp synchronise with unlike masks");
  WarpSlot* slots = warp.slots[warp.epoch % 2];
  if (bytes > 0) std::memcpy(slots[self % kWarpSize].bytes, value, bytes);
  warp.arrived |= bit;
  if (warp.arrived != mask) {
    m.wait(Wait::kWarp);
    return slots;
  }
  warp.arrived = 0;
  ++warp.epoch;
  const int first = self / kWarpSize * kWarpSize;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    Thread& thread = m.threads[first + lane];
    if ((mask >> lane & 1u) != 0 && thread.wait == Wait::kWarp) thread.wait = Wait::kNone;
  }
  m.note_time();
  return slots;
}

bool run_grid(int64_t blocks, int threads, int64_t shared_size, void (*body)(const void*),
              const void* closure) noexcept {
  Machine& m = machine();
  if (m.stacks == nullptr || threads < 1 || threads > kMaxThreads || threads % kWarpSize != 0) return false;
  m.body = body;
  m.closure = closure;
  m.thread_count = threads;
  m.shared.resize(static_cast<size_t>(shared_size));
  m.failed = false;
  ++m.launch;
  const auto* shared = reinterpret_cast<const char*>(m.shared.data());
  watch = {true, watch.stamp, watch.stamp.run + 1, m.stacks, m.stacks + kMaxThreads * kStackBytes, shared,
           shared + shared_size};
  for (int64_t i = 0; i < blocks && !m.failed; ++i) m.run_block(m.launch % 2 == 0 ? i : blocks - 1 - i, blocks);
  watch.on = false;
  return !m.failed;
}

void report_race(const void* address, const Stamp& before, const char* kind, const void* code) noexcept {
  char text[256];
  std::snprintf(text, sizeof text, "%s %p unordered with thread %d of run %u, now %u (code at %p)", kind, address,
                before.thread, before.run, watch.stamp.run, code);
  machine().fail(text);
}

}  // namespace statespace::emulation

int32_t atomicOr(int32_t* word, int32_t bits) noexcept {
  const int32_t before = *word;
  *word = before | bits;
  return before;
}

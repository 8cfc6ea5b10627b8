#include "emulation/race_check.h"

#include <cstring>
#include <memory>
#include <unordered_map>

namespace statespace::emulation {

constinit thread_local Watch watch;

namespace {

constexpr int kPageShift = 12;
constexpr uintptr_t kPageBytes = uintptr_t{1} << kPageShift;
constexpr size_t kRecentPages = 1024;
constexpr int kWarp = 32;

/// The last write, the last read, and whether other threads, warps or blocks read before it.
struct Cell {
  Stamp write, read;
  bool other_threads = false;
  bool other_warps = false;
  bool other_blocks = false;
};

/// A cell for each word. Once a half word is accessed, there are cells for the second halves too.
struct Page {
  Cell words[kPageBytes / 4];
  std::unique_ptr<Cell[]> second_halves;

  void split() {
    if (second_halves != nullptr) return;
    second_halves = std::make_unique<Cell[]>(kPageBytes / 4);
    for (size_t i = 0; i < kPageBytes / 4; ++i) second_halves[i] = words[i];
  }
};

Page& page_of(uintptr_t address) {
  struct Recent {
    uintptr_t key = ~uintptr_t{0};
    Page* page = nullptr;
  };
  static std::unordered_map<uintptr_t, std::unique_ptr<Page>> pages;
  static Recent recent[kRecentPages];
  const uintptr_t key = address >> kPageShift;
  Recent& entry = recent[key % kRecentPages];
  if (entry.key != key) {
    std::unique_ptr<Page>& page = pages[key];
    if (page == nullptr) page = std::make_unique<Page>();
    entry = {key, page.get()};
  }
  return *entry.page;
}

bool same_warp(const Stamp& a, const Stamp& b) { return a.thread / kWarp == b.thread / kWarp; }

/// `since`: the first run whose accesses still matter.
bool in_order(const Stamp& before, const Stamp& now, uint32_t since) {
  if (before.run < since) return true;
  if (before.run != now.run) return false;
  if (before.thread == now.thread || before.block_epoch < now.block_epoch) return true;
  return same_warp(before, now) && before.warp_epoch < now.warp_epoch;
}

/// Whether a write may follow all reads that `cell` knows of.
bool reads_in_order(const Cell& cell, const Stamp& now, uint32_t since) {
  const Stamp& read = cell.read;
  if (read.run < since) return true;
  if (cell.other_blocks || read.run != now.run) return false;
  if (read.block_epoch < now.block_epoch) return true;
  if (cell.other_warps) return false;
  if (cell.other_threads) return same_warp(read, now) && read.warp_epoch < now.warp_epoch;
  return in_order(read, now, since);
}

void note_read(Cell& cell, const Stamp& now, uint32_t since) {
  const Stamp& read = cell.read;
  if (read.run < since) {
    cell.other_threads = cell.other_warps = cell.other_blocks = false;
  } else if (read.run != now.run) {
    cell.other_blocks = true;
  } else if (read.block_epoch < now.block_epoch) {
    cell.other_threads = cell.other_warps = false;
  } else if (!same_warp(read, now)) {
    cell.other_warps = cell.other_threads = true;
  } else if (read.warp_epoch < now.warp_epoch) {
    cell.other_threads = false;
  } else {
    cell.other_threads |= read.thread != now.thread;
  }
  cell.read = now;
}

/// False after a race was reported.
bool access_cell(Cell& cell, const Stamp& now, uint32_t since, bool write, const void* memory, const void* code) {
  if (!in_order(cell.write, now, since)) {
    report_race(memory, cell.write, write ? "writes what another thread wrote," : "reads what another thread wrote,",
                code);
    return false;
  }
  if (!write) {
    note_read(cell, now, since);
    return true;
  }
  if (!reads_in_order(cell, now, since)) {
    report_race(memory, cell.read, "writes what another thread read,", code);
    return false;
  }
  cell.write = now;
  return true;
}

void access(const void* memory, uintptr_t size, bool write, const void* code) {
  const Watch& current = watch;
  const auto* byte = static_cast<const char*>(memory);
  if (!current.on || size < 2 || (byte >= current.stacks && byte < current.stacks_end)) return;
  const bool shared = byte >= current.shared && byte < current.shared_end;
  const uint32_t since = shared ? current.stamp.run : current.first_run;
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  for (uintptr_t word = begin & ~uintptr_t{3}; word < begin + size; word += 4) {
    Page& page = page_of(word);
    const uintptr_t index = (word & (kPageBytes - 1)) / 4;
    const bool first = word >= begin, second = word + 2 < begin + size;
    if (!first || !second) page.split();
    if (first && !access_cell(page.words[index], current.stamp, since, write, memory, code)) return;
    if (second && page.second_halves != nullptr &&
        !access_cell(page.second_halves[index], current.stamp, since, write, memory, code)) {
      return;
    }
  }
}

bool hooks_called = false;

}  // namespace

bool race_check_is_on() noexcept { return hooks_called; }

}  // namespace statespace::emulation

// The functions that compilers call in code built with -fsanitize=thread, those that kernels need.
#define STATESPACE_ACCESS(name, size, write)                                            \
  void __tsan_##name(const void* address) {                                             \
    ::statespace::emulation::access(address, size, write, __builtin_return_address(0)); \
  }

extern "C" {
void __tsan_init() { ::statespace::emulation::hooks_called = true; }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
STATESPACE_ACCESS(read1, 1, false)
STATESPACE_ACCESS(read2, 2, false)
STATESPACE_ACCESS(read4, 4, false)
STATESPACE_ACCESS(read8, 8, false)
STATESPACE_ACCESS(read16, 16, false)
STATESPACE_ACCESS(write1, 1, true)
STATESPACE_ACCESS(write2, 2, true)
STATESPACE_ACCESS(write4, 4, true)
STATESPACE_ACCESS(write8, 8, true)
STATESPACE_ACCESS(write16, 16, true)
STATESPACE_ACCESS(unaligned_read2, 2, false)
STATESPACE_ACCESS(unaligned_read4, 4, false)
STATESPACE_ACCESS(unaligned_read8, 8, false)
STATESPACE_ACCESS(unaligned_read16, 16, false)
STATESPACE_ACCESS(unaligned_write2, 2, true)
STATESPACE_ACCESS(unaligned_write4, 4, true)
STATESPACE_ACCESS(unaligned_write8, 8, true)
STATESPACE_ACCESS(unaligned_write16, 16, true)
void __tsan_read_range(const void* address, uintptr_t size) {
  ::statespace::emulation::access(address, size, false, __builtin_return_address(0));
}
void __tsan_write_range(const void* address, uintptr_t size) {
  ::statespace::emulation::access(address, size, true, __builtin_return_address(0));
}
/// Of the host's code in the same files.
int32_t __tsan_atomic32_exchange(volatile int32_t* word, int32_t value, int) {
  return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}
uint8_t __tsan_atomic8_load(const volatile uint8_t* word, int) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
int32_t __tsan_atomic32_load(const volatile int32_t* word, int) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
uint64_t __tsan_atomic64_load(const volatile uint64_t* word, int) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
void __tsan_atomic8_store(volatile uint8_t* word, uint8_t value, int) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
void __tsan_atomic32_store(volatile int32_t* word, int32_t value, int) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
void __tsan_atomic64_store(volatile uint64_t* word, uint64_t value, int) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
void* __tsan_memcpy(void* to, const void* from, uintptr_t size) {
  ::statespace::emulation::access(from, size, false, __builtin_return_address(0));
  ::statespace::emulation::access(to, size, true, __builtin_return_address(0));
  return std::memcpy(to, from, size);
}
void* __tsan_memset(void* to, int value, uintptr_t size) {
  ::statespace::emulation::access(to, size, true, __builtin_return_address(0));
  return std::memset(to, value, size);
}
}

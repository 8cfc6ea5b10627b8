/// Scratch blocks and aligned memory.
#include "scratch.h"

#include <atomic>
#include <cstdlib>
#include <limits>

#include "statespace/runtime.h"
#include "thread_pool.h"

#if defined(__linux__)
#include <sys/mman.h>
#elif defined(_WIN32)
#include <malloc.h>
#endif

namespace statespace {

/// Header of a scratch block; the floats follow one alignment unit later.
struct Block {
  int64_t capacity;
};

namespace {

/// Finished calls park their blocks here. Each slot is taken and given by an atomic exchange.
constexpr int kParked = 8;
/// Larger blocks go back to the system at once.
constexpr int64_t kLargestParked = int64_t{1} << 23;
std::atomic<Block*> parked[kParked];

constexpr int64_t kFirstFloat = kAlignment / sizeof(float);

/// Size of a large page of x86-64 and of most ARM systems.
constexpr size_t kHugePage = size_t{1} << 21;

Block* take_parked(int64_t count) noexcept {
  for (std::atomic<Block*>& slot : parked) {
    if (slot.load(std::memory_order_relaxed) == nullptr) continue;
    Block* block = slot.exchange(nullptr, std::memory_order_acq_rel);
    if (block == nullptr || block->capacity >= count) {
      if (block != nullptr) return block;
      continue;
    }
    Block* empty = nullptr;
    if (!slot.compare_exchange_strong(empty, block, std::memory_order_acq_rel)) deallocate(block);
  }
  return nullptr;
}

void park(Block* block) noexcept {
  for (std::atomic<Block*>& slot : parked) {
    Block* empty = nullptr;
    if (slot.compare_exchange_strong(empty, block, std::memory_order_acq_rel)) return;
  }
  // All places are taken: the newcomer replaces one in turn, so that sizes no longer in use disappear.
  static std::atomic<uint32_t> turn{0};
  deallocate(parked[turn.fetch_add(1, std::memory_order_relaxed) % kParked].exchange(block, std::memory_order_acq_rel));
}

Block* make_block(int64_t count) noexcept {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / int64_t{sizeof(float)} - 4 * kFirstFloat;
  if (count > kMost) return nullptr;
  void* memory = allocate(static_cast<size_t>(count + kFirstFloat) * sizeof(float));
  if (memory == nullptr) return nullptr;
  Block* block = static_cast<Block*>(memory);
  block->capacity = count;
  return block;
}

}  // namespace

Scratch::Scratch(int64_t count) noexcept : block_(nullptr) {
  if (count < 0) return;
  block_ = take_parked(count);
  if (block_ == nullptr) block_ = make_block(count);
#if defined(STATESPACE_POISON_SCRATCH)
  for (int64_t i = 0; ok() && i < block_->capacity; ++i) data()[i] = std::numeric_limits<float>::quiet_NaN();
#endif
}

Scratch::~Scratch() noexcept {
  if (block_ == nullptr) return;
  if (block_->capacity <= kLargestParked) {
    park(block_);
  } else {
    deallocate(block_);
  }
}

bool Scratch::ok() const noexcept { return block_ != nullptr; }

float* Scratch::data() const noexcept {
  return block_ == nullptr ? nullptr : reinterpret_cast<float*>(block_) + kFirstFloat;
}

void* allocate(size_t bytes) noexcept {
  if (bytes > std::numeric_limits<size_t>::max() / 2) return nullptr;
  const bool large = bytes >= 2 * kHugePage;
  const size_t alignment = large ? kHugePage : kAlignment;
  // The standard wants a multiple of the alignment; what lies beyond `bytes` is never touched.
  const size_t size = bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
#if defined(_WIN32)
  void* const memory = _aligned_malloc(size, alignment);
#else
  void* const memory = std::aligned_alloc(alignment, size);
#endif
#if defined(__linux__)
  // Rows of a few tensors side by side need more small pages than the machine keeps at hand. Asked for, not insisted
  // on: memory in small pages serves too.
  if (large && memory != nullptr) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return memory;
}

void deallocate(void* memory) noexcept {
#if defined(_WIN32)
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

void trim_scratch() noexcept {
  for (std::atomic<Block*>& slot : parked) deallocate(slot.exchange(nullptr, std::memory_order_acq_rel));
}

namespace {
std::atomic<int64_t> runtime_users{0};
}  // namespace

void acquire_runtime() noexcept { runtime_users.fetch_add(1); }

void release_runtime() noexcept {
  if (runtime_users.fetch_sub(1) != 1) return;
  stop_workers();
  trim_scratch();
}

}  // namespace statespace

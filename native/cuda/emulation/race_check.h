/// Finds accesses of two threads of a kernel, one of them a write, that nothing puts in order.
///
/// Kernels compiled with -fsanitize=thread call __tsan_read4 and the like before each access to memory. race_check.cpp
/// gives those functions, instead of ThreadSanitizer's own. Two accesses of one launch are in order when the same thread
/// makes them, when the block passed a barrier between them, or when both lie in one warp that synchronised between them;
/// threads of two blocks are never in order, except in shared memory, which each block has for itself. Single bytes and a
/// thread's own stack are not watched.
#pragma once

#include <cstdint>

namespace statespace::emulation {

/// Who made an access, and when.
struct Stamp {
  /// Counts the blocks that ran, of all launches; 0: nobody.
  uint32_t run = 0;
  int32_t thread = 0;
  /// Barriers that the block had passed.
  uint32_t block_epoch = 0;
  /// Times that the warp had synchronised.
  uint32_t warp_epoch = 0;
};

/// The running thread as the race check sees it. The emulation keeps it up to date.
struct Watch {
  bool on = false;
  Stamp stamp;
  /// The first run of the launch.
  uint32_t first_run = 0;
  const char *stacks = nullptr, *stacks_end = nullptr;
  const char *shared = nullptr, *shared_end = nullptr;
};

extern constinit thread_local Watch watch;

/// Ends the launch with a message.
void report_race(const void* address, const Stamp& before, const char* kind, const void* code) noexcept;

/// Whether kernels of this program report their accesses.
bool race_check_is_on() noexcept;

}  // namespace statespace::emulation

/// CUDA kernels as host C++: what a kernel says to the device, on one fibre per thread.
///
/// A grid runs block after block, in an order that changes from launch to launch; the threads of a block take turns,
/// each until it waits for others. Shared memory holds NaN when a block begins. What no device would do ends the launch
/// with a message: a barrier that not every thread reaches, shuffles with unlike masks. Objects compiled with
/// -fsanitize=thread report each access to the race check (race_check.h).
///
/// One-dimensional grids and blocks of whole warps; that is all that the kernels use.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

namespace statespace::emulation {

inline constexpr int kWarpSize = 32;

struct Index3 {
  unsigned x = 0;
};

/// Where the running thread stands.
struct Place {
  Index3 thread_index;
  Index3 block_index;
  Index3 block_size;
  Index3 grid_size;
};

/// What a thread shows to the others of its warp.
struct WarpSlot {
  alignas(8) unsigned char bytes[64];
};

const Place& place() noexcept;

/// The shared memory of the running block.
void* shared_bytes() noexcept;

void sync_block() noexcept;

/// Shows `value` to the threads of `mask` and waits for theirs; the slots of all lanes, valid until the next exchange.
const WarpSlot* exchange(uint32_t mask, const void* value, size_t bytes) noexcept;

/// Runs body(closure) in every thread. False when a thread did what no device would do; the reason stands on stderr.
bool run_grid(int64_t blocks, int threads, int64_t shared_size, void (*body)(const void*),
              const void* closure) noexcept;

/// The value that lane `source` of the warp shows; each lane may ask for another one.
template <typename Value>
Value shuffle(uint32_t mask, Value value, int source) noexcept {
  static_assert(sizeof(Value) <= sizeof(WarpSlot));
  const WarpSlot* slots = exchange(mask, &value, sizeof(Value));
  std::memcpy(&value, slots[source].bytes, sizeof(Value));
  return value;
}

inline int lane() noexcept { return static_cast<int>(place().thread_index.x) % kWarpSize; }

}  // namespace statespace::emulation

#define threadIdx (::statespace::emulation::place().thread_index)
#define blockIdx (::statespace::emulation::place().block_index)
#define blockDim (::statespace::emulation::place().block_size)
#define gridDim (::statespace::emulation::place().grid_size)

inline void __syncthreads() noexcept { ::statespace::emulation::sync_block(); }

inline void __syncwarp(uint32_t mask = 0xffffffffu) noexcept {
  ::statespace::emulation::exchange(mask, nullptr, 0);
}

/// One after another, as the threads take turns; no access for the race check.
int32_t atomicOr(int32_t* word, int32_t bits) noexcept;

template <typename Value>
Value __shfl_xor_sync(uint32_t mask, Value value, int lane_mask) noexcept {
  return ::statespace::emulation::shuffle(mask, value, ::statespace::emulation::lane() ^ lane_mask);
}

/// The lane `distance` before, or the own value where there is none.
template <typename Value>
Value __shfl_up_sync(uint32_t mask, Value value, int distance) noexcept {
  const int lane = ::statespace::emulation::lane();
  return ::statespace::emulation::shuffle(mask, value, lane < distance ? lane : lane - distance);
}

/// Lane `source` of the aligned part of `width` lanes.
template <typename Value>
Value __shfl_sync(uint32_t mask, Value value, int source, int width = 32) noexcept {
  const int part = ::statespace::emulation::lane() / width * width;
  return ::statespace::emulation::shuffle(mask, value, part + source % width);
}

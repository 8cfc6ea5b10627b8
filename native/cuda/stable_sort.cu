#include "stable_sort.h"

#include "launch.h"

namespace statespace::cuda {
namespace {

constexpr int kDigitBits = 8;
/// A thread for each value of a digit.
constexpr int kDigits = 1 << kDigitBits;

/// Positions that one block looks through.
constexpr int kTile = 1024;

/// One round: positions ordered by all lower digits become ordered by this one too.
struct SortRound {
  const int32_t* keys;
  int64_t count;
  int shift;
  /// Null in the first round: positions as they are.
  const int32_t* from;
  int32_t* to;
  /// (tiles, kDigits): how often each digit stands in a tile; then where a tile's first one goes.
  int32_t* places;

  __host__ __device__ int64_t tiles() const { return ceil_divide<int64_t>(count, kTile); }
  __device__ int32_t position(int64_t i) const { return from == nullptr ? static_cast<int32_t>(i) : from[i]; }
};

struct TileDigits {
  int32_t position[kTile];
  int32_t digit[kTile];
};

/// Reads a tile; the number of its entries.
__device__ __forceinline__ int load_tile(const SortRound& round, int64_t tile, TileDigits& shared) {
  const int64_t begin = tile * kTile, left = round.count - begin;
  const int size = left < kTile ? static_cast<int>(left) : kTile;
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kDigits) {
    const int32_t position = round.position(begin + i);
    shared.position[i] = position;
    shared.digit[i] = static_cast<int32_t>(static_cast<uint32_t>(round.keys[position]) >> round.shift) & (kDigits - 1);
  }
  __syncthreads();
  return size;
}

__global__ void __launch_bounds__(kDigits) count_digits_kernel(const SortRound round) {
  auto& shared = shared_memory<TileDigits>();
  const auto own = static_cast<int32_t>(threadIdx.x);
  for (int64_t tile = blockIdx.x; tile < round.tiles(); tile += gridDim.x) {
    const int size = load_tile(round, tile, shared);
    int32_t found = 0;
    for (int i = 0; i < size; ++i) found += shared.digit[i] == own ? 1 : 0;
    round.places[tile * kDigits + own] = found;
  }
}

struct DigitCounts {
  int32_t before[kDigits];
};

/// One block: counts become places.
__global__ void __launch_bounds__(kDigits) place_digits_kernel(const SortRound round) {
  auto& shared = shared_memory<DigitCounts>();
  const auto own = static_cast<int>(threadIdx.x);
  int32_t all = 0;
  for (int64_t tile = 0; tile < round.tiles(); ++tile) all += round.places[tile * kDigits + own];
  shared.before[own] = all;
  __syncthreads();
  int32_t place = 0;
  for (int digit = 0; digit < own; ++digit) place += shared.before[digit];
  for (int64_t tile = 0; tile < round.tiles(); ++tile) {
    int32_t& entry = round.places[tile * kDigits + own];
    const int32_t found = entry;
    entry = place;
    place += found;
  }
}

__global__ void __launch_bounds__(kDigits) move_positions_kernel(const SortRound round) {
  auto& shared = shared_memory<TileDigits>();
  const auto own = static_cast<int32_t>(threadIdx.x);
  for (int64_t tile = blockIdx.x; tile < round.tiles(); tile += gridDim.x) {
    const int size = load_tile(round, tile, shared);
    int32_t place = round.places[tile * kDigits + own];
    for (int i = 0; i < size; ++i) {
      if (shared.digit[i] == own) round.to[place++] = shared.position[i];
    }
  }
}

}  // namespace

Status StableSort::queue(const int32_t* keys, int64_t count, int64_t key_bound) noexcept {
  if (count == 0) return Status::kOk;
  SortRound round = {keys, count, 0, nullptr, nullptr, nullptr};
  auto* memory = memory_.take<int32_t>(2 * count + round.tiles() * kDigits);
  if (memory == nullptr) return memory_.status();
  round.places = memory + 2 * count;
  const GridShape tiles = {blocks_for(round.tiles()), kDigits, static_cast<int64_t>(sizeof(TileDigits))};
  const GridShape one = {1, kDigits, static_cast<int64_t>(sizeof(DigitCounts))};
  do {
    round.to = round.from == memory ? memory + count : memory;
    Status status = launch(count_digits_kernel, tiles, round);
    if (status == Status::kOk) status = launch(place_digits_kernel, one, round);
    if (status == Status::kOk) status = launch(move_positions_kernel, tiles, round);
    if (status != Status::kOk) return status;
    round.from = round.to;
    round.shift += kDigitBits;
  } while (round.shift < 32 && ((key_bound - 1) >> round.shift) > 0);
  positions_ = round.to;
  return Status::kOk;
}

}  // namespace statespace::cuda

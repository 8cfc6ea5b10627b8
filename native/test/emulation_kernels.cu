#include "emulation_kernels.h"

#include <cmath>

#include "launch.h"

namespace statespace::test {
namespace {

using namespace statespace::cuda;

constexpr int kThreads = 96;

struct Row {
  float value[kThreads];
};

__global__ void reverse_through_shared(float* data, bool with_barrier) {
  Row& row = shared_memory<Row>();
  const unsigned i = threadIdx.x;
  row.value[i] = data[i];
  if (with_barrier) __syncthreads();
  data[kThreads - 1 - i] = row.value[i ^ 1];
}

/// Each thread reads its neighbour's value of the row that it then overwrites.
__global__ void shift_in_place(float* data, bool with_barrier) {
  Row& row = shared_memory<Row>();
  const unsigned i = threadIdx.x;
  row.value[i] = data[i];
  __syncthreads();
  const float next = row.value[(i + 1) % kThreads];
  if (with_barrier) __syncthreads();
  row.value[i] = next;
  data[i] = next;
}

/// Neighbours of one warp exchange through shared memory.
__global__ void swap_in_warp(float* data, bool with_barrier) {
  Row& row = shared_memory<Row>();
  const unsigned i = threadIdx.x;
  row.value[i] = data[i];
  if (with_barrier) __syncwarp();
  data[i] = row.value[i ^ 1];
}

/// A warp's barrier orders nothing between warps.
__global__ void swap_across_warps(float* data) {
  Row& row = shared_memory<Row>();
  const unsigned i = threadIdx.x;
  row.value[i] = data[i];
  __syncwarp();
  data[i] = row.value[(i + 32) % kThreads];
}

/// All blocks write one word, or each its own.
__global__ void write_from_blocks(float* data, bool apart) {
  if (threadIdx.x == 0) data[apart ? blockIdx.x : 0] = 1.0f;
}

/// Two blocks write the two halves of a word, or the same half.
__global__ void write_halves(uint16_t* data, bool apart) {
  if (threadIdx.x == 0) data[apart ? blockIdx.x : 0] = 1;
}

__global__ void leave_before_barrier(bool leave) {
  if (leave && threadIdx.x == 5) return;
  __syncthreads();
}

__global__ void shuffle_in_part(float* data, bool part) {
  float value = data[threadIdx.x];
  if (!part || threadIdx.x % 2 == 0) value += __shfl_xor_sync(kWholeWarp, value, 2);
  data[threadIdx.x] = value;
}

__global__ void sum_groups(float* out, int lanes) {
  out[threadIdx.x] = sum_over_lanes(static_cast<float>(threadIdx.x), lanes);
}

__global__ void copy_shared(float* out) { out[threadIdx.x] = shared_memory<Row>().value[threadIdx.x]; }

float* numbers() {
  static float data[kThreads] = {};
  return data;
}

uint16_t* halves() { return reinterpret_cast<uint16_t*>(numbers()); }

constexpr GridShape kOneBlock = {1, kThreads, sizeof(Row)};
constexpr GridShape kTwoBlocks = {2, kThreads, sizeof(Row)};

}  // namespace

const std::vector<KernelCase>& kernel_cases() {
  static const std::vector<KernelCase> cases = {
      {"reverse", Fault::kNone, [] { return launch(reverse_through_shared, kOneBlock, numbers(), true); }},
      {"reverse without barrier", Fault::kRace,
       [] { return launch(reverse_through_shared, kOneBlock, numbers(), false); }},
      {"shift", Fault::kNone, [] { return launch(shift_in_place, kOneBlock, numbers(), true); }},
      {"shift without barrier", Fault::kRace, [] { return launch(shift_in_place, kOneBlock, numbers(), false); }},
      {"swap in warp", Fault::kNone, [] { return launch(swap_in_warp, kOneBlock, numbers(), true); }},
      {"swap in warp without barrier", Fault::kRace, [] { return launch(swap_in_warp, kOneBlock, numbers(), false); }},
      {"swap across warps", Fault::kRace, [] { return launch(swap_across_warps, kOneBlock, numbers()); }},
      {"blocks apart", Fault::kNone, [] { return launch(write_from_blocks, kTwoBlocks, numbers(), true); }},
      {"blocks on one word", Fault::kRace, [] { return launch(write_from_blocks, kTwoBlocks, numbers(), false); }},
      {"two halves", Fault::kNone, [] { return launch(write_halves, kTwoBlocks, halves(), true); }},
      {"one half", Fault::kRace, [] { return launch(write_halves, kTwoBlocks, halves(), false); }},
      {"barrier", Fault::kNone, [] { return launch(leave_before_barrier, kOneBlock, false); }},
      {"barrier that one thread misses", Fault::kDeadlock, [] { return launch(leave_before_barrier, kOneBlock, true); }},
      {"shuffle", Fault::kNone, [] { return launch(shuffle_in_part, kOneBlock, numbers(), false); }},
      {"shuffle of half a warp", Fault::kDeadlock, [] { return launch(shuffle_in_part, kOneBlock, numbers(), true); }}};
  return cases;
}

bool sums_over_lanes_are_right() {
  for (int lanes = 1; lanes <= 32; lanes *= 2) {
    if (launch(sum_groups, kOneBlock, numbers(), lanes) != Status::kOk) return false;
    for (int i = 0; i < kThreads; ++i) {
      const int first = i / lanes * lanes;
      if (numbers()[i] != static_cast<float>(lanes * first + lanes * (lanes - 1) / 2)) return false;
    }
  }
  return true;
}

bool shared_memory_begins_as_nan() {
  if (launch(copy_shared, kOneBlock, numbers()) != Status::kOk) return false;
  bool all = true;
  for (int i = 0; i < kThreads; ++i) all &= std::isnan(numbers()[i]);
  return all;
}

}  // namespace statespace::test

/// Philox4x32-10 numbers and dropout. Oracle: packages/ssd-core/src/ops/random.
///
/// A thread takes the four elements of one block of the generator.
#include <cmath>

#include "dense_checks.h"
#include "elementwise_map.h"
#include "kernels.h"

namespace statespace::cuda {
namespace {

struct PhiloxWords {
  uint32_t word[4];
};

__device__ __forceinline__ PhiloxWords philox_block(const PhiloxPosition& position, uint64_t block) {
  constexpr uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
  constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
  constexpr int kRounds = 10;
  const uint64_t low = position.offset + block;
  PhiloxWords c = {{static_cast<uint32_t>(low), static_cast<uint32_t>(low >> 32),
                    static_cast<uint32_t>(position.stream), static_cast<uint32_t>(position.stream >> 32)}};
  auto key0 = static_cast<uint32_t>(position.seed), key1 = static_cast<uint32_t>(position.seed >> 32);
#pragma unroll
  for (int round = 0; round < kRounds; ++round, key0 += kWeyl0, key1 += kWeyl1) {
    const uint64_t product0 = uint64_t{kMultiplier0} * c.word[0], product1 = uint64_t{kMultiplier1} * c.word[2];
    c = {{static_cast<uint32_t>(product1 >> 32) ^ c.word[1] ^ key0, static_cast<uint32_t>(product1),
          static_cast<uint32_t>(product0 >> 32) ^ c.word[3] ^ key1, static_cast<uint32_t>(product0)}};
  }
  return c;
}

/// Calls body(first element, words) for the blocks of this thread.
template <typename Body>
__device__ __forceinline__ void for_philox_blocks(const PhiloxPosition& position, int64_t count, const Body& body) {
  const int64_t all = gridDim.x * int64_t{kMapThreads}, blocks = ceil_divide<int64_t>(count, 4);
  for (int64_t block = blockIdx.x * int64_t{kMapThreads} + threadIdx.x; block < blocks; block += all) {
    body(4 * block, philox_block(position, static_cast<uint64_t>(block)));
  }
}

__device__ __forceinline__ void store_four(float* out, int64_t at, int64_t count, const Pack<float>& four,
                                           bool aligned) {
  if (aligned && count - at >= 4) {
    *reinterpret_cast<Pack<float>*>(out + at) = four;
    return;
  }
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    if (at + k < count) out[at + k] = four.value[k];
  }
}

__global__ void __launch_bounds__(kMapThreads) uniform_kernel(const RandomArgs args, const bool aligned) {
  for_philox_blocks(args.generator, args.count, [&](int64_t at, const PhiloxWords& words) {
    Pack<float> four;
#pragma unroll
    for (int k = 0; k < 4; ++k) four.value[k] = (static_cast<float>(words.word[k] >> 9) + 0.5f) * 0x1p-23f;
    store_four(args.out, at, args.count, four, aligned);
  });
}

__device__ __forceinline__ double uniform_double(uint32_t word) {
  return (static_cast<double>(word >> 9) + 0.5) * 0x1p-23;
}

/// In double, as the reference computes them.
__global__ void __launch_bounds__(kMapThreads) normal_kernel(const RandomArgs args, const bool aligned) {
  for_philox_blocks(args.generator, args.count, [&](int64_t at, const PhiloxWords& words) {
    Pack<float> four;
#pragma unroll
    for (int k = 0; k < 4; k += 2) {
      const double radius = sqrt(-2 * log(uniform_double(words.word[k])));
      const double angle = 2 * 3.141592653589793 * uniform_double(words.word[k + 1]);
      four.value[k] = static_cast<float>(radius * cos(angle));
      four.value[k + 1] = static_cast<float>(radius * sin(angle));
    }
    store_four(args.out, at, args.count, four, aligned);
  });
}

__global__ void __launch_bounds__(kMapThreads)
    dropout_kernel(const DropoutArgs args, const float scale, const uint32_t threshold, const bool aligned) {
  for_philox_blocks(args.generator, args.count, [&](int64_t at, const PhiloxWords& words) {
    Pack<float> four;
    if (aligned && args.count - at >= 4) {
      four = *reinterpret_cast<const Pack<float>*>(args.x + at);
    } else {
      for (int k = 0; k < 4; ++k) four.value[k] = at + k < args.count ? args.x[at + k] : 0.0f;
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) four.value[k] = (words.word[k] >> 9) >= threshold ? four.value[k] * scale : 0.0f;
    store_four(args.out, at, args.count, four, aligned);
  });
}

GridShape philox_grid(int64_t count) {
  return {blocks_for(ceil_divide<int64_t>(count, 4 * kMapThreads)), kMapThreads, 0};
}

}  // namespace

Status random(const RandomArgs& args) noexcept {
  const Status checked = check_random(args);
  if (checked != Status::kOk || args.count == 0) return checked;
  switch (args.distribution) {
    case Distribution::kUniform:
      return launch(uniform_kernel, philox_grid(args.count), args, aligned_for_packs(args.out));
    case Distribution::kNormal:
      return launch(normal_kernel, philox_grid(args.count), args, aligned_for_packs(args.out));
  }
  return Status::kBadArgument;
}

Status dropout(const DropoutArgs& args) noexcept {
  const Status checked = check_dropout(args);
  if (checked != Status::kOk || args.count == 0) return checked;
  const auto scale = static_cast<float>(1 / (1 - args.p));
  // (k + 0.5) 2^-23 >= p for an integer k exactly when k >= p 2^23 - 0.5.
  const auto threshold = static_cast<uint32_t>(std::ceil(std::fmax(args.p * 0x1p23 - 0.5, 0.0)));
  return launch(dropout_kernel, philox_grid(args.count), args, scale, threshold, aligned_for_packs(args.x, args.out));
}

}  // namespace statespace::cuda

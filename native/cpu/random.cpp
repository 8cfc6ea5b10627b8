/// Philox4x32-10 numbers and dropout. Oracle: packages/ssd-core/src/ops/random.
#include <math.h>

#include "dense_checks.h"
#include "isa_kernels.h"
#include "parallel.h"

namespace statespace::STATESPACE_ISA_NS {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53u;
constexpr uint32_t kMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kWeyl0 = 0x9E3779B9u;
constexpr uint32_t kWeyl1 = 0xBB67AE85u;
constexpr int kRounds = 10;

/// Blocks computed together: enough independent chains to fill the multiplier, and vectors where the compiler can.
constexpr int64_t kBatch = 16;

/// words[w][i]: word w of block first + i.
void philox_blocks(const PhiloxPosition& position, uint64_t first, uint32_t words[4][kBatch]) noexcept {
  for (int64_t i = 0; i < kBatch; ++i) {
    const uint64_t low = position.offset + first + static_cast<uint64_t>(i);
    words[0][i] = static_cast<uint32_t>(low);
    words[1][i] = static_cast<uint32_t>(low >> 32);
    words[2][i] = static_cast<uint32_t>(position.stream);
    words[3][i] = static_cast<uint32_t>(position.stream >> 32);
  }
  uint32_t key0 = static_cast<uint32_t>(position.seed);
  uint32_t key1 = static_cast<uint32_t>(position.seed >> 32);
  for (int round = 0; round < kRounds; ++round, key0 += kWeyl0, key1 += kWeyl1) {
    for (int64_t i = 0; i < kBatch; ++i) {
      const uint64_t product0 = static_cast<uint64_t>(kMultiplier0) * words[0][i];
      const uint64_t product1 = static_cast<uint64_t>(kMultiplier1) * words[2][i];
      words[0][i] = static_cast<uint32_t>(product1 >> 32) ^ words[1][i] ^ key0;
      words[1][i] = static_cast<uint32_t>(product1);
      words[2][i] = static_cast<uint32_t>(product0 >> 32) ^ words[3][i] ^ key1;
      words[3][i] = static_cast<uint32_t>(product0);
    }
  }
}

/// Calls body(element, word) for elements [begin, end) in order; begin is a multiple of 4.
template <typename Body>
STATESPACE_INLINE void for_words(const PhiloxPosition& position, int64_t begin, int64_t end, const Body& body) {
  uint32_t words[4][kBatch];
  for (int64_t element = begin; element < end; element += 4 * kBatch) {
    philox_blocks(position, static_cast<uint64_t>(element) / 4, words);
    const int64_t count = smaller(4 * kBatch, end - element);
    for (int64_t i = 0; i < count; ++i) body(element + i, words[i % 4][i / 4]);
  }
}

double uniform_double(uint32_t word) noexcept { return (static_cast<double>(word >> 9) + 0.5) * 0x1p-23; }

/// Two normal numbers from two words, in double as the reference computes them.
void box_muller(uint32_t word0, uint32_t word1, float out[2]) noexcept {
  const double radius = ::sqrt(-2 * ::log(uniform_double(word0)));
  const double angle = 2 * 3.141592653589793 * uniform_double(word1);
  out[0] = static_cast<float>(radius * ::cos(angle));
  out[1] = static_cast<float>(radius * ::sin(angle));
}

void normal_range(const PhiloxPosition& position, int64_t begin, int64_t end, float* out) noexcept {
  uint32_t words[4][kBatch];
  for (int64_t element = begin; element < end; element += 4 * kBatch) {
    philox_blocks(position, static_cast<uint64_t>(element) / 4, words);
    const int64_t count = smaller(4 * kBatch, end - element);
    for (int64_t i = 0; i < count; i += 2) {
      float pair[2];
      box_muller(words[i % 4][i / 4], words[i % 4 + 1][i / 4], pair);
      out[element + i] = pair[0];
      if (i + 1 < count) out[element + i + 1] = pair[1];
    }
  }
}

/// Elements per chunk; a multiple of 4 * kBatch.
constexpr int64_t kGrain = 16384;

}  // namespace

Status random(const RandomArgs& args) noexcept {
  const Status checked = check_random(args);
  if (checked != Status::kOk || args.count == 0) return checked;
  switch (args.distribution) {
    case Distribution::kUniform:
      for_ranges(args.count, kGrain, [&](int64_t begin, int64_t end) noexcept {
        for_words(args.generator, begin, end, [&](int64_t i, uint32_t word) {
          args.out[i] = (static_cast<float>(word >> 9) + 0.5f) * 0x1p-23f;
        });
      });
      return Status::kOk;
    case Distribution::kNormal:
      for_ranges(args.count, kGrain, [&](int64_t begin, int64_t end) noexcept {
        normal_range(args.generator, begin, end, args.out);
      });
      return Status::kOk;
  }
  return Status::kBadArgument;
}

Status dropout(const DropoutArgs& args) noexcept {
  const Status checked = check_dropout(args);
  if (checked != Status::kOk || args.count == 0) return checked;
  const float scale = static_cast<float>(1 / (1 - args.p));
  // (k + 0.5) 2^-23 >= p for an integer k exactly when k >= p 2^23 - 0.5.
  const uint32_t threshold = static_cast<uint32_t>(::ceil(::fmax(args.p * 0x1p23 - 0.5, 0)));
  for_ranges(args.count, kGrain, [&](int64_t begin, int64_t end) noexcept {
    for_words(args.generator, begin, end, [&](int64_t i, uint32_t word) {
      args.out[i] = (word >> 9) >= threshold ? args.x[i] * scale : 0.0f;
    });
  });
  return Status::kOk;
}

}  // namespace statespace::STATESPACE_ISA_NS

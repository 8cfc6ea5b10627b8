/// Copies, fills, embedding, random numbers and dropout.
#include <cmath>
#include <cstring>
#include <limits>

#include "views.h"

namespace statespace::test {
namespace {

const float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();

void test_strided_copy(const KernelTable& table) {
  Random random(50);
  for (const Shape& shape : {shape_of({}), shape_of({0, 2}), shape_of({5}), shape_of({70, 45}), shape_of({3, 33, 65}),
                             shape_of({2, 3, 4, 5})}) {
    for (const Layout from : kLayouts) {
      for (const Layout to : {Layout::kContiguous, Layout::kPermuted, Layout::kReversed}) {
        const View x = random_view(random, shape, from);
        View out = random_view(random, shape, to);
        CHECK(table.copy({shape, DType::kF32, x.data(), x.strides, DType::kF32, out.memory.data() + out.offset,
                          out.strides}) == Status::kOk);
        CHECK(elements_of(out, shape) == elements_of(x, shape));
        CHECK(table.fill({shape, DType::kF32, 2.5, out.memory.data() + out.offset, out.strides}) == Status::kOk);
        CHECK(elements_of(out, shape) == std::vector<double>(static_cast<size_t>(count_of(shape)), 2.5));
      }
    }
  }
}

template <typename From, typename To>
void check_conversion(const KernelTable& table, DType from, DType to, std::vector<From> x, std::vector<To> wanted) {
  std::vector<To> out(x.size());
  const Strides unit = {{1}};
  const Shape shape = shape_of({static_cast<int64_t>(x.size())});
  CHECK(table.copy({shape, from, x.data(), unit, to, out.data(), unit}) == Status::kOk);
  CHECK(std::memcmp(out.data(), wanted.data(), out.size() * sizeof(To)) == 0);
}

void test_conversions(const KernelTable& table) {
  check_conversion<float, int32_t>(table, DType::kF32, DType::kI32, {1.9f, -1.9f, kNan, 3e9f, -3e9f, kInf},
                                   {1, -1, 0, INT32_MAX, INT32_MIN, INT32_MAX});
  check_conversion<float, uint8_t>(table, DType::kF32, DType::kU8, {1.9f, -1.9f, kNan, 300, 255}, {1, 0, 0, 255, 255});
  check_conversion<int32_t, uint8_t>(table, DType::kI32, DType::kU8, {-5, 7, 256}, {0, 7, 255});
  check_conversion<int32_t, float>(table, DType::kI32, DType::kF32, {-5, 16777217}, {-5, 16777216});
  check_conversion<double, float>(table, DType::kF64, DType::kF32, {0.1, 1e300, -0.0}, {0.1f, kInf, -0.0f});
  // bfloat16: ties to even, overflow, subnormals, signed zero
  check_conversion<float, uint16_t>(table, DType::kF32, DType::kBf16,
                                    {1.0f, 1.00390625f, 1.01171875f, 3.4e38f, -0.0f, 1e-40f, -kInf},
                                    {0x3f80, 0x3f80, 0x3f82, 0x7f80, 0x8000, 0x0001, 0xff80});
  check_conversion<uint16_t, float>(table, DType::kBf16, DType::kF32, {0x3f80, 0xc040, 0x7f80}, {1.0f, -3.0f, kInf});
  // From double in one step: rounding to float on the way would make ties of numbers that are none.
  check_conversion<double, uint16_t>(table, DType::kF64, DType::kBf16,
                                     {0x1.010000001p0, 0x1.00ffffffffp0, -0x1.030000001p0, 1e300, -1e-300, 0x1.fep127},
                                     {0x3f81, 0x3f80, 0xbf82, 0x7f80, 0x8000, 0x7f7f});
  check_conversion<double, uint16_t>(table, DType::kF64, DType::kF16,
                                     {0x1.002000001p0, 0x1.001fffffffp0, 65519.9999999, 65520.0, 0x1.00000001p-25, -1e-300},
                                     {0x3c01, 0x3c00, 0x7bff, 0x7c00, 0x0001, 0x8000});
  check_conversion<int32_t, uint16_t>(table, DType::kI32, DType::kBf16, {16842753, -257, INT32_MIN}, {0x4b81, 0xc380, 0xcf00});
  // binary16: largest, overflow at the midpoint, smallest subnormal, half of it to even, signed zero
  check_conversion<float, uint16_t>(table, DType::kF32, DType::kF16,
                                    {1.0f, -2.5f, 65504.0f, 65519.0f, 65520.0f, 0x1p-24f, 0x1p-25f, -0.0f, -kInf,
                                     1.00048828125f, 0x1.8p-24f},
                                    {0x3c00, 0xc100, 0x7bff, 0x7bff, 0x7c00, 0x0001, 0x0000, 0x8000, 0xfc00, 0x3c00,
                                     0x0002});
  check_conversion<uint16_t, float>(table, DType::kF16, DType::kF32, {0x3c00, 0x0001, 0xfc00, 0x03ff, 0x7bff},
                                    {1.0f, 0x1p-24f, -kInf, 0x1.ff8p-15f, 65504.0f});
  // Every half survives the way to float and back.
  std::vector<uint16_t> all;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7fffu) <= 0x7c00u) all.push_back(static_cast<uint16_t>(bits));
  }
  std::vector<float> wide(all.size());
  const Strides unit = {{1}};
  const Shape shape = shape_of({static_cast<int64_t>(all.size())});
  for (const DType half : {DType::kF16, DType::kBf16}) {
    CHECK(table.copy({shape, half, all.data(), unit, DType::kF32, wide.data(), unit}) == Status::kOk);
    check_conversion<float, uint16_t>(table, DType::kF32, half, wide, all);
  }
  check_conversion<float, uint16_t>(table, DType::kF32, DType::kF16, {kNan}, {0x7e00});
  check_conversion<float, uint16_t>(table, DType::kF32, DType::kBf16, {kNan}, {0x7fc0});
}

/// Views of unlike formats, and packed ones that begin anywhere.
void test_strided_conversion(const KernelTable& table) {
  Random random(53);
  for (const Shape& shape : {shape_of({9}), shape_of({70, 45}), shape_of({3, 5, 7})}) {
    for (const Layout from : kLayouts) {
      const View x = random_view(random, shape, from, -300, 300);
      const auto values = elements_of(x, shape);
      std::vector<int32_t> out(values.size(), -1), wanted;
      for (const double value : values) wanted.push_back(static_cast<int32_t>(value));
      CHECK(table.copy({shape, DType::kF32, x.data(), x.strides, DType::kI32, out.data(), unit_strides(shape)}) == Status::kOk);
      CHECK(out == wanted);
    }
  }
  const Strides unit = {{1}};
  const auto x = random.floats(23);
  for (int64_t x_start = 0; x_start < 4; ++x_start) {
    for (int64_t out_start = 0; out_start < 4; ++out_start) {
      const int64_t count = 19;
      Output out(count + 4);
      CHECK(table.copy({shape_of({count}), DType::kF32, x.data() + x_start, unit, DType::kF32, out.data() + out_start,
                        unit}) == Status::kOk);
      CHECK_SAME_BITS(out.data() + out_start, x.data() + x_start, count, "copy of a packed part");
      CHECK(std::isnan(out.data()[out_start + count]));
      CHECK(table.unary({UnaryOp::kNeg, shape_of({count}), x.data() + x_start, unit, out.data() + out_start}) ==
            Status::kOk);
      CHECK(out.data()[out_start] == -x[static_cast<size_t>(x_start)]);
      CHECK(out.data()[out_start + count - 1] == -x[static_cast<size_t>(x_start + count - 1)]);
      CHECK(std::isnan(out.data()[out_start + count]));
    }
  }
}

/// A table of so many rows that a sort of ids takes several rounds, in order of positions.
void test_large_vocabulary(const KernelTable& table) {
  Random random(54);
  const int64_t vocab = 70001, dim = 3, count = 2500;
  const auto grad_out = random.floats(count * dim);
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(i % 3 == 0 ? 70000 - i % 7 : random.below(vocab)));
  std::vector<float> ours(static_cast<size_t>(vocab * dim)), wanted = ours;
  for (int64_t i = 0; i < count * dim; ++i) {
    wanted[static_cast<size_t>(ids[static_cast<size_t>(i / dim)] * dim + i % dim)] += grad_out[static_cast<size_t>(i)];
  }
  CHECK(table.embedding_backward({vocab, dim, count, ids.data(), grad_out.data(), ours.data()}) == Status::kOk);
  CHECK_SAME_BITS(ours.data(), wanted.data(), vocab * dim, "embedding backward, many rows");
}

void test_embedding(const KernelTable& table) {
  Random random(51);
  for (const int64_t dim : {1, 7, 16, 65}) {
    for (const int64_t count : {0, 1, 9, 3000}) {
      const int64_t vocab = 37;
      const auto weight = random.floats(vocab * dim);
      const auto grad_out = random.floats(count * dim);
      const auto before = random.floats(vocab * dim);
      std::vector<int32_t> ids;
      for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(i % 5 == 0 ? 3 : random.below(vocab)));
      Output out(count * dim);
      CHECK(table.embedding({vocab, dim, count, weight.data(), ids.data(), out.data()}) == Status::kOk);
      CHECK(out.intact());
      std::vector<double> wanted(before.begin(), before.end());
      for (int64_t i = 0; i < count; ++i) {
        const int64_t row = ids[static_cast<size_t>(i)] * dim;
        CHECK_SAME_BITS(out.data() + i * dim, weight.data() + row, dim, "embedding");
        for (int64_t j = 0; j < dim; ++j) {
          wanted[static_cast<size_t>(row + j)] += static_cast<double>(grad_out[static_cast<size_t>(i * dim + j)]);
        }
      }
      const auto ours = SAME_FOR_EVERY_THREAD_COUNT(
          [&] {
            auto grad = before;
            CHECK(table.embedding_backward({vocab, dim, count, ids.data(), grad_out.data(), grad.data()}) == Status::kOk);
            return grad;
          },
          "embedding backward");
      CHECK_CLOSE(ours.data(), wanted.data(), vocab * dim, 1e-5, "embedding backward");
    }
  }
  const int32_t bad[] = {0, 37};
  float out[2] = {kNan, kNan};
  const float weight[37] = {};
  CHECK(table.embedding({37, 1, 2, weight, bad, out}) == Status::kIndexOutOfRange);
  CHECK(std::isnan(out[0]));
  float grad[37] = {};
  CHECK(table.embedding_backward({37, 1, 2, bad, out, grad}) == Status::kIndexOutOfRange);
}

/// Philox4x32-10 as the paper states it, one block.
void philox_block(const PhiloxPosition& position, uint64_t block, uint32_t c[4]) {
  const uint64_t low = position.offset + block;
  c[0] = static_cast<uint32_t>(low);
  c[1] = static_cast<uint32_t>(low >> 32);
  c[2] = static_cast<uint32_t>(position.stream);
  c[3] = static_cast<uint32_t>(position.stream >> 32);
  uint32_t k[2] = {static_cast<uint32_t>(position.seed), static_cast<uint32_t>(position.seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * c[2];
    const uint32_t next[4] = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
                              static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    std::memcpy(c, next, sizeof next);
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
}

void test_random(const KernelTable& table) {
  // Known answers of the authors' library (Random123, kat_vectors): counter and key all zeros, then all ones.
  uint32_t zeros[4];
  philox_block({0, 0, 0}, 0, zeros);
  CHECK(zeros[0] == 0x6627e8d5u && zeros[1] == 0xe169c58du && zeros[2] == 0xbc57ac4cu && zeros[3] == 0x9b00dbd8u);
  uint32_t ones[4];
  philox_block({~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0}}, 0, ones);
  CHECK(ones[0] == 0x408f276du && ones[1] == 0x41c83b0eu && ones[2] == 0xa20bc7c6u && ones[3] == 0x6d5451fdu);

  const PhiloxPosition position = {0x1234567890abcdu, 77, 0xfffffff0u};  // the low word overflows on the way
  for (const int64_t count : {0, 1, 2, 3, 5, 64, 1001, 40000}) {
    std::vector<float> uniform;
    std::vector<double> normal;
    std::vector<double> exact;
    for (int64_t i = 0; i < count; ++i) {
      uint32_t words[4];
      philox_block(position, static_cast<uint64_t>(i / 4), words);
      const auto number = [&](int64_t word) { return (static_cast<double>(words[word] >> 9) + 0.5) / 8388608; };
      exact.push_back(number(i % 4));
      uniform.push_back(static_cast<float>(exact.back()));
      const double radius = std::sqrt(-2 * std::log(number(i % 4 / 2 * 2)));
      const double angle = 2 * 3.141592653589793 * number(i % 4 / 2 * 2 + 1);
      normal.push_back(radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle)));
    }
    const auto draw = [&](Distribution distribution) {
      return SAME_FOR_EVERY_THREAD_COUNT(
          [&] {
            Output out(count);
            CHECK(table.random({distribution, position, count, out.data()}) == Status::kOk);
            CHECK(out.intact());
            return std::vector<float>(out.data(), out.data() + count);
          },
          "random");
    };
    CHECK_SAME_BITS(draw(Distribution::kUniform).data(), uniform.data(), count, "uniform");
    CHECK_CLOSE(draw(Distribution::kNormal).data(), normal.data(), count, 1e-7, "normal");

    for (const double p : {0.0, 0.1, 0.5, 0.999}) {
      const std::vector<float> x(static_cast<size_t>(count), 1.5f);
      Output out(count);
      CHECK(table.dropout({count, x.data(), p, position, out.data()}) == Status::kOk);
      CHECK(out.intact());
      std::vector<double> wanted;
      for (const double u : exact) wanted.push_back(u >= p ? 1.5 / (1 - p) : 0);
      CHECK_CLOSE(out.data(), wanted.data(), count, 1e-7, "dropout");
    }
  }
  float out = 0;
  CHECK(table.dropout({1, &out, 1.0, position, &out}) == Status::kBadArgument);
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  for_each_isa([](const statespace::KernelTable& table) {
    test_strided_copy(table);
    test_conversions(table);
    test_strided_conversion(table);
    test_embedding(table);
    test_large_vocabulary(table);
    test_random(table);
  });
  return finish("table");
}

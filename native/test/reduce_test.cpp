/// Reductions, argmax, gradient norm and AdamW against double.
#include <cmath>
#include <limits>

#include "views.h"

namespace statespace::test {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<double> reduce_in_double(ReduceOp op, const View& x, const Shape& shape, uint32_t axes) {
  int64_t kept = 1;
  int64_t reduced = 1;
  for (int32_t axis = 0; axis < shape.rank; ++axis) ((axes >> axis & 1u) != 0 ? reduced : kept) *= shape.size[axis];
  std::vector<double> out(static_cast<size_t>(kept), op == ReduceOp::kMax ? -std::numeric_limits<double>::infinity() : 0);
  const auto values = elements_of(x, shape);
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i);
    int64_t place = 0;
    int64_t step = 1;
    for (int32_t axis = shape.rank - 1; axis >= 0; --axis) {
      const int64_t index = rest % shape.size[axis];
      rest /= shape.size[axis];
      if ((axes >> axis & 1u) != 0) continue;
      place += index * step;
      step *= shape.size[axis];
    }
    double& to = out[static_cast<size_t>(place)];
    to = op == ReduceOp::kMax ? std::fmax(to, values[i]) : to + values[i];
  }
  if (op == ReduceOp::kMean) {
    for (double& value : out) value /= static_cast<double>(reduced);
  }
  return out;
}

void test_reduce(const KernelTable& table) {
  const Shape shapes[] = {shape_of({}),     shape_of({1}),         shape_of({1000}),     shape_of({13, 29}),
                          shape_of({0, 3}), shape_of({70, 3, 40}), shape_of({3, 300, 7}), shape_of({2, 3, 4, 5, 6}),
                          shape_of({300, 500})};
  Random random(11);
  for (const Shape& shape : shapes) {
    for (uint32_t axes = 0; axes < 1u << shape.rank; ++axes) {
      for (const Layout layout : kLayouts) {
        const View x = random_view(random, shape, layout);
        for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMean, ReduceOp::kMax}) {
          const auto wanted = reduce_in_double(op, x, shape, axes);
          const auto ours = SAME_FOR_EVERY_THREAD_COUNT(
              [&] {
                Output out(static_cast<int64_t>(wanted.size()));
                CHECK(table.reduce({op, shape, x.data(), x.strides, axes, out.data()}) == Status::kOk);
                CHECK(out.intact());
                return std::vector<float>(out.data(), out.data() + out.size());
              },
              "reduce");
          CHECK_CLOSE(ours.data(), wanted.data(), static_cast<int64_t>(wanted.size()), 4e-6, "reduce");
        }
      }
    }
  }
}

void test_long_sum(const KernelTable& table) {
  // A plain float sum of these would be off by percents.
  const int64_t count = kEmulated ? 2000003 : 20000003;
  const std::vector<float> x(static_cast<size_t>(count), 0.1f);
  float out = kNan;
  const Strides unit = {{1}};
  CHECK(table.reduce({ReduceOp::kSum, shape_of({count}), x.data(), unit, 1, &out}) == Status::kOk);
  const double wanted = static_cast<double>(0.1f) * static_cast<double>(count);
  CHECK_CLOSE(&out, &wanted, 1, 1e-6, "long sum");
}

void test_nan(const KernelTable& table) {
  Random random(12);
  const Strides unit = {{1}};
  for (const int64_t place : {0, 5, 40}) {
    auto x = random.floats(41);
    x[static_cast<size_t>(place)] = kNan;
    float out = 0;
    CHECK(table.reduce({ReduceOp::kMax, shape_of({41}), x.data(), unit, 1, &out}) == Status::kOk);
    CHECK(std::isnan(out));
    int32_t index = -1;
    CHECK(table.argmax({1, 41, x.data(), 41, &index}) == Status::kOk);
    CHECK(index == place);
  }
}

void test_argmax(const KernelTable& table) {
  Random random(13);
  for (const int64_t dim : {1, 2, 15, 16, 17, 31, 33, 64, 1000, 1500}) {
    std::vector<float> x(static_cast<size_t>(20 * dim));
    for (float& value : x) value = static_cast<float>(random.below(7));  // many ties
    std::vector<int32_t> out(20, -1);
    CHECK(table.argmax({20, dim, x.data(), dim, out.data()}) == Status::kOk);
    for (int64_t row = 0; row < 20; ++row) {
      int64_t wanted = 0;
      for (int64_t i = 1; i < dim; ++i) {
        if (x[static_cast<size_t>(row * dim + i)] > x[static_cast<size_t>(row * dim + wanted)]) wanted = i;
      }
      CHECK(out[static_cast<size_t>(row)] == wanted);
    }
  }
}

void test_grad_norm(const KernelTable& table) {
  Random random(14);
  const auto a = random.floats(50001);
  const auto b = random.floats(3);
  const GradSlot slots[] = {{a.data(), 50001}, {nullptr, 0}, {b.data(), 3}};
  double squares = 0;
  for (const float v : a) squares += static_cast<double>(v) * static_cast<double>(v);
  for (const float v : b) squares += static_cast<double>(v) * static_cast<double>(v);
  const double wanted[] = {std::sqrt(squares), 1 / (std::sqrt(squares) + 1e-6)};
  const auto ours = SAME_FOR_EVERY_THREAD_COUNT(
      [&] {
        std::vector<float> out(2, kNan);
        CHECK(table.grad_norm({3, slots, 1.0, &out[0], &out[1]}) == Status::kOk);
        return out;
      },
      "grad norm");
  CHECK_CLOSE(ours.data(), wanted, 2, 1e-7, "grad norm");
  float norm = 0;
  float factor = 0;
  CHECK(table.grad_norm({3, slots, 1e9, &norm, &factor}) == Status::kOk && factor == 1);
  CHECK(table.grad_norm({0, nullptr, 1.0, &norm, &factor}) == Status::kOk && norm == 0 && factor == 1);
  const float bad[] = {1, kNan};
  const GradSlot bad_slot = {bad, 2};
  CHECK(table.grad_norm({1, &bad_slot, std::numeric_limits<double>::infinity(), &norm, &factor}) == Status::kOk);
  CHECK(std::isnan(norm) && std::isnan(factor));
  CHECK(table.grad_norm({1, &bad_slot, -1, &norm, &factor}) == Status::kBadArgument);
}

void test_adamw(const KernelTable& table) {
  const int64_t sizes[] = {0, 1, 37, 40000};
  const float schedule[] = {0.01f, 0.271f, 0.003f};
  const float scale = 0.5f;
  const auto run = [&](std::vector<double>* wanted) {
    Random random(15);
    std::vector<float> all;
    for (const int64_t size : sizes) {
      auto param = random.floats(size);
      const auto grad = random.floats(size);
      auto m = random.floats(size);
      auto v = random.floats(size, 0, 1);
      const AdamWSlot slot = {param.data(), grad.data(), m.data(), v.data(), size, 0.7f, 0.1f};
      for (int64_t i = 0; wanted != nullptr && i < size; ++i) {
        const size_t at = static_cast<size_t>(i);
        const double g = 0.5 * static_cast<double>(grad[at]);
        const double m_new = 0.9 * static_cast<double>(m[at]) + 0.1 * g;
        const double v_new = 0.999 * static_cast<double>(v[at]) + (1 - 0.999) * g * g;
        const double rate = static_cast<double>(schedule[0]) * static_cast<double>(0.7f);
        const double root = std::sqrt(v_new / static_cast<double>(schedule[2])) + 1e-8;
        wanted->push_back(static_cast<double>(param[at]) * (1 - rate * static_cast<double>(0.1f)) -
                          rate * (m_new / static_cast<double>(schedule[1])) / root);
        wanted->push_back(m_new);
        wanted->push_back(v_new);
      }
      CHECK(table.adamw({1, &slot, 0.9, 0.999, 1e-8, schedule, &scale}) == Status::kOk);
      for (int64_t i = 0; i < size; ++i) {
        const size_t at = static_cast<size_t>(i);
        all.insert(all.end(), {param[at], m[at], v[at]});
      }
    }
    return all;
  };
  std::vector<double> wanted;
  run(&wanted);
  const auto ours = SAME_FOR_EVERY_THREAD_COUNT([&] { return run(nullptr); }, "adamw");
  CHECK_CLOSE(ours.data(), wanted.data(), static_cast<int64_t>(wanted.size()), 3e-7, "adamw");
}

/// More slots than one kernel takes, empty ones among them, at any address: the same bits as each slot alone.
void test_many_slots(const KernelTable& table) {
  const int64_t slot_count = 150;
  const float schedule[] = {0.01f, 0.271f, 0.003f};
  std::vector<std::vector<float>> alone, together;
  std::vector<AdamWSlot> slots;
  std::vector<GradSlot> grads;
  double squares = 0;
  for (auto* tensors : {&alone, &together}) {
    Random random(16);
    for (int64_t i = 0; i < 4 * slot_count; ++i) tensors->push_back(random.floats(i / 4 * 7 % 90 + 1, 0, 1));
  }
  for (int64_t i = 0; i < slot_count; ++i) {
    auto* const tensor = &together[static_cast<size_t>(4 * i)];
    const int64_t start = i % 2, count = static_cast<int64_t>(tensor[0].size()) - 1;
    slots.push_back({tensor[0].data() + start, tensor[1].data() + start, tensor[2].data() + start,
                     tensor[3].data() + start, count, 1.0f, 0.01f});
    grads.push_back({tensor[1].data() + start, count});
    for (int64_t k = 0; k < count; ++k) squares += std::pow(static_cast<double>(grads.back().data[k]), 2);
    auto* const same = &alone[static_cast<size_t>(4 * i)];
    const AdamWSlot slot = {same[0].data() + start, same[1].data() + start, same[2].data() + start,
                            same[3].data() + start, count, 1.0f, 0.01f};
    CHECK(table.adamw({1, &slot, 0.9, 0.999, 1e-8, schedule, nullptr}) == Status::kOk);
  }
  CHECK(table.adamw({slot_count, slots.data(), 0.9, 0.999, 1e-8, schedule, nullptr}) == Status::kOk);
  CHECK(alone == together);
  float norm = 0, factor = 0;
  CHECK(table.grad_norm({slot_count, grads.data(), 1.0, &norm, &factor}) == Status::kOk);
  const double wanted = std::sqrt(squares);
  CHECK_CLOSE(&norm, &wanted, 1, 1e-7, "norm of many gradients");
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  for_each_isa([](const statespace::KernelTable& table) {
    test_reduce(table);
    test_long_sum(table);
    test_nan(table);
    test_argmax(table);
    test_grad_norm(table);
    test_adamw(table);
    test_many_slots(table);
  });
  return finish("reduce");
}

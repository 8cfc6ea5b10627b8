/// RMSNorm and LayerNorm: forward against the formula in double, backward against its central differences.
#include <cmath>

#include "check.h"
#include "numeric_gradient.h"

namespace statespace::test {
namespace {

double silu(double x) { return x / (1 + std::exp(-x)); }

struct RmsCase {
  int64_t rows, dim, group;
  bool gate, after;
};

std::vector<double> rms_norm_in_double(const RmsCase& c, const std::vector<double>& x, const std::vector<double>& weight,
                                       const std::vector<double>& gate, double eps) {
  std::vector<double> out(x.size());
  for (size_t start = 0; start < x.size(); start += static_cast<size_t>(c.group)) {
    const auto y = [&](size_t i) { return c.gate && !c.after ? x[i] * silu(gate[i]) : x[i]; };
    double squares = 0;
    for (size_t i = start; i < start + static_cast<size_t>(c.group); ++i) squares += y(i) * y(i);
    const double r = 1 / std::sqrt(squares / static_cast<double>(c.group) + eps);
    for (size_t i = start; i < start + static_cast<size_t>(c.group); ++i) {
      out[i] = y(i) * r * weight[i % static_cast<size_t>(c.dim)] * (c.gate && c.after ? silu(gate[i]) : 1);
    }
  }
  return out;
}

double dot(const std::vector<double>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * static_cast<double>(b[i]);
  return sum;
}

/// Rows of `values` spread out to a stride of dim + gap.
std::vector<float> with_gaps(const std::vector<float>& values, int64_t rows, int64_t dim, int64_t gap) {
  std::vector<float> spread(static_cast<size_t>(rows * (dim + gap)));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < dim; ++i) {
      spread[static_cast<size_t>(row * (dim + gap) + i)] = values[static_cast<size_t>(row * dim + i)];
    }
  }
  return spread;
}

void test_rms_norm(const KernelTable& table, const RmsCase& c, uint64_t seed) {
  Random random(seed);
  const int64_t count = c.rows * c.dim;
  const auto x = random.floats(count, -2, 2);
  const auto gate = random.floats(count, -3, 3);
  const auto weight = random.floats(c.dim, 0.5f, 1.5f);
  const auto grad_out = random.floats(count);
  // A lone channel is normalised to its sign, and its gradient is a difference of equals unless eps is felt.
  const float eps = c.group == 1 ? 0.5f : 1e-5f;
  const auto x_rows = with_gaps(x, c.rows, c.dim, 3);
  const auto gate_rows = with_gaps(gate, c.rows, c.dim, 5);
  const RmsNormInputs inputs = {c.rows,    c.dim, c.group, x_rows.data(), c.dim + 3, weight.data(),
                                c.gate ? gate_rows.data() : nullptr, c.dim + 5, c.after, eps};

  auto x64 = widen(x);
  auto gate64 = widen(gate);
  auto weight64 = widen(weight);
  const auto loss = [&] { return dot(rms_norm_in_double(c, x64, weight64, gate64, static_cast<double>(eps)), grad_out); };
  const auto wanted = rms_norm_in_double(c, x64, weight64, gate64, static_cast<double>(eps));
  Output out(count);
  CHECK(table.rms_norm({inputs, out.data()}) == Status::kOk);
  CHECK(out.intact());
  CHECK_CLOSE(out.data(), wanted.data(), count, 1e-6, "rms_norm");

  const auto grads = SAME_FOR_EVERY_THREAD_COUNT(
      [&] {
        Output grad_x(count);
        Output grad_weight(c.dim);
        Output grad_gate(count);
        CHECK(table.rms_norm_backward({inputs, grad_out.data(), grad_x.data(), grad_weight.data(),
                                       c.gate ? grad_gate.data() : nullptr}) == Status::kOk);
        CHECK(grad_x.intact() && grad_weight.intact() && grad_gate.intact());
        std::vector<float> all(grad_x.data(), grad_x.data() + count);
        all.insert(all.end(), grad_weight.data(), grad_weight.data() + c.dim);
        if (c.gate) all.insert(all.end(), grad_gate.data(), grad_gate.data() + count);
        return all;
      },
      "rms_norm_backward");
  if (count > 3000) return;  // central differences take count^2 steps
  CHECK_CLOSE(grads.data(), numeric_gradient(x64, loss).data(), count, 2e-6, "rms_norm grad_x");
  CHECK_CLOSE(grads.data() + count, numeric_gradient(weight64, loss).data(), c.dim, 2e-6, "rms_norm grad_weight");
  if (c.gate) {
    CHECK_CLOSE(grads.data() + count + c.dim, numeric_gradient(gate64, loss).data(), count, 2e-6, "rms_norm grad_gate");
  }
}

struct LayerCase {
  int64_t rows, dim;
  bool weight, bias;
};

void test_layer_norm(const KernelTable& table, const LayerCase& c, uint64_t seed) {
  Random random(seed);
  const int64_t count = c.rows * c.dim;
  const auto x = random.floats(count, 3, 5);
  const auto weight = random.floats(c.dim, 0.5f, 1.5f);
  const auto bias = random.floats(c.dim);
  const auto grad_out = random.floats(count);
  const float eps = 1e-5f;
  const auto x_rows = with_gaps(x, c.rows, c.dim, 1);
  const LayerNormInputs inputs = {c.rows, c.dim, x_rows.data(), c.dim + 1, c.weight ? weight.data() : nullptr,
                                  c.bias ? bias.data() : nullptr, eps};
  auto x64 = widen(x);
  auto weight64 = widen(weight);
  const auto formula = [&] {
    std::vector<double> out(x64.size());
    const size_t dim = static_cast<size_t>(c.dim);
    for (size_t start = 0; start < out.size(); start += dim) {
      double mean = 0;
      double variance = 0;
      for (size_t i = 0; i < dim; ++i) mean += x64[start + i] / static_cast<double>(dim);
      for (size_t i = 0; i < dim; ++i) variance += (x64[start + i] - mean) * (x64[start + i] - mean) / static_cast<double>(dim);
      for (size_t i = 0; i < dim; ++i) {
        const double normal = (x64[start + i] - mean) / std::sqrt(variance + static_cast<double>(eps));
        out[start + i] = normal * (c.weight ? weight64[i] : 1) + (c.bias ? static_cast<double>(bias[i]) : 0);
      }
    }
    return out;
  };
  const auto wanted = formula();
  Output out(count);
  CHECK(table.layer_norm({inputs, out.data()}) == Status::kOk);
  CHECK(out.intact());
  CHECK_CLOSE(out.data(), wanted.data(), count, 3e-6, "layer_norm");
  const auto grads = SAME_FOR_EVERY_THREAD_COUNT(
      [&] {
        Output grad_x(count);
        Output grad_weight(c.dim);
        Output grad_bias(c.dim);
        CHECK(table.layer_norm_backward({inputs, grad_out.data(), grad_x.data(), grad_weight.data(), grad_bias.data()}) ==
              Status::kOk);
        CHECK(grad_x.intact() && grad_weight.intact() && grad_bias.intact());
        std::vector<float> all(grad_x.data(), grad_x.data() + count);
        all.insert(all.end(), grad_weight.data(), grad_weight.data() + c.dim);
        all.insert(all.end(), grad_bias.data(), grad_bias.data() + c.dim);
        return all;
      },
      "layer_norm_backward");
  const auto loss = [&] { return dot(formula(), grad_out); };
  // A row of three close numbers is nearly singular: its gradient is a difference of numbers ten times as large.
  CHECK_CLOSE(grads.data(), numeric_gradient(x64, loss).data(), count, 1e-5, "layer_norm grad_x");
  if (c.weight) {
    CHECK_CLOSE(grads.data() + count, numeric_gradient(weight64, loss).data(), c.dim, 5e-6, "layer_norm grad_weight");
  }
  std::vector<double> bias_grad(static_cast<size_t>(c.dim));
  for (size_t i = 0; i < grad_out.size(); ++i) bias_grad[i % bias_grad.size()] += static_cast<double>(grad_out[i]);
  CHECK_CLOSE(grads.data() + count + c.dim, bias_grad.data(), c.dim, 2e-6, "layer_norm grad_bias");
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  for_each_isa([](const statespace::KernelTable& table) {
    uint64_t seed = 20;
    for (const bool gate : {false, true}) {
      for (const bool after : {false, true}) {
        test_rms_norm(table, {1, 1, 1, gate, after}, seed++);
        test_rms_norm(table, {0, 7, 7, gate, after}, seed++);
        test_rms_norm(table, {3, 17, 17, gate, after}, seed++);
        test_rms_norm(table, {5, 64, 16, gate, after}, seed++);
        test_rms_norm(table, {131, 3, 3, gate, after}, seed++);
        test_rms_norm(table, {700, 67, 67, gate, after}, seed++);
        test_rms_norm(table, {1, 2069, 2069, gate, after}, seed++);
      }
    }
    for (const bool weight : {false, true}) {
      test_layer_norm(table, {1, 5, weight, true}, seed++);
      test_layer_norm(table, {0, 5, weight, true}, seed++);
      test_layer_norm(table, {130, 3, weight, false}, seed++);
      test_layer_norm(table, {4, 67, weight, weight}, seed++);
      test_layer_norm(table, {1, 2069, weight, weight}, seed++);
    }
  });
  return finish("norm");
}

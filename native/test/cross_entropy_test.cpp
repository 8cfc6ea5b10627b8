/// Softmax and cross-entropy against double, and extreme logits.
#include <cmath>
#include <limits>

#include "check.h"

namespace statespace::test {
namespace {

struct Softened {
  std::vector<double> p;
  double log_sum;
};

Softened soften(const float* x, int64_t n) {
  Softened result{std::vector<double>(static_cast<size_t>(n)), 0};
  double largest = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < n; ++i) largest = std::fmax(largest, static_cast<double>(x[i]));
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[i]) - largest);
  result.log_sum = largest + std::log(sum);
  for (int64_t i = 0; i < n; ++i) result.p[static_cast<size_t>(i)] = std::exp(static_cast<double>(x[i]) - result.log_sum);
  return result;
}

void test_softmax(const KernelTable& table) {
  Random random(30);
  for (const int64_t dim : {1, 2, 15, 16, 17, 100, 5003}) {
    for (const int64_t rows : {0, 1, 7}) {
      const auto x = random.floats(rows * dim, -5, 5);
      const auto grad_out = random.floats(rows * dim);
      for (const bool log : {false, true}) {
        Output out(rows * dim), grad_x(rows * dim);
        CHECK(table.softmax({rows, dim, x.data(), log, out.data()}) == Status::kOk);
        CHECK(table.softmax_backward({rows, dim, out.data(), log, grad_out.data(), grad_x.data()}) == Status::kOk);
        CHECK(out.intact() && grad_x.intact());
        std::vector<double> wanted, wanted_grad;
        for (int64_t row = 0; row < rows; ++row) {
          const auto [p, log_sum] = soften(x.data() + row * dim, dim);
          double pull = 0;
          for (int64_t i = 0; i < dim; ++i) {
            const size_t at = static_cast<size_t>(row * dim + i);
            wanted.push_back(log ? static_cast<double>(x[at]) - log_sum : p[static_cast<size_t>(i)]);
            pull += static_cast<double>(grad_out[at]) * (log ? 1 : static_cast<double>(out.data()[at]));
          }
          for (int64_t i = 0; i < dim; ++i) {
            const size_t at = static_cast<size_t>(row * dim + i);
            const double g = static_cast<double>(grad_out[at]);
            const double result = static_cast<double>(out.data()[at]);  // the backward is a function of the result
            wanted_grad.push_back(log ? g - std::exp(result) * pull : result * (g - pull));
          }
        }
        CHECK_CLOSE(out.data(), wanted.data(), rows * dim, 1e-6, "softmax");
        CHECK_CLOSE(grad_x.data(), wanted_grad.data(), rows * dim, 2e-6, "softmax backward");
      }
    }
  }
  const float extreme[] = {3e38f, -3e38f, 3e38f, -std::numeric_limits<float>::infinity()};
  float out[4];
  CHECK(table.softmax({1, 4, extreme, false, out}) == Status::kOk);
  CHECK(out[0] == 0.5f && out[1] == 0 && out[2] == 0.5f && out[3] == 0);
}

void test_cross_entropy(const KernelTable& table) {
  Random random(31);
  for (const int64_t vocab : {1, 3, 16, 33, 2001}) {
    for (const float smoothing : {0.0f, 0.1f, 1.0f}) {
      const int64_t rows = 11;
      const auto logits = random.floats(rows * vocab, -8, 8);
      const auto grad_losses = random.floats(rows);
      std::vector<int32_t> targets;
      for (int64_t row = 0; row < rows; ++row) targets.push_back(row == 4 ? -7 : static_cast<int32_t>(random.below(vocab)));
      std::vector<double> losses, grads;
      for (int64_t row = 0; row < rows; ++row) {
        const size_t r = static_cast<size_t>(row);
        const auto [p, log_sum] = soften(logits.data() + row * vocab, vocab);
        double loss = 0;
        for (int64_t v = 0; v < vocab; ++v) {
          const double s = static_cast<double>(smoothing);
          const double q = (v == targets[r] ? 1 - s : 0) + s / static_cast<double>(vocab);
          loss -= q * (static_cast<double>(logits[static_cast<size_t>(row * vocab + v)]) - log_sum);
          const double grad = static_cast<double>(grad_losses[r]) * (p[static_cast<size_t>(v)] - q);
          grads.push_back(targets[r] == -7 ? 0 : grad);
        }
        losses.push_back(targets[r] == -7 ? 0 : loss);
      }
      const CrossEntropyInputs inputs = {rows, vocab, logits.data(), targets.data(), -7, smoothing};
      Output ours(rows), ours_grad(rows * vocab);
      CHECK(table.cross_entropy({inputs, ours.data()}) == Status::kOk);
      CHECK(table.cross_entropy_backward({inputs, grad_losses.data(), ours_grad.data()}) == Status::kOk);
      CHECK(ours.intact() && ours_grad.intact());
      CHECK_CLOSE(ours.data(), losses.data(), rows, 1e-6, "cross entropy");
      CHECK_CLOSE(ours_grad.data(), grads.data(), rows * vocab, 2e-6, "cross entropy backward");
      auto bad = targets;
      bad[3] = static_cast<int32_t>(vocab);
      CHECK(table.cross_entropy({{rows, vocab, logits.data(), bad.data(), -7, smoothing}, ours.data()}) ==
            Status::kIndexOutOfRange);
      Output untouched(rows * vocab);
      CHECK(table.cross_entropy_backward({{rows, vocab, logits.data(), bad.data(), -7, smoothing}, grad_losses.data(),
                                          untouched.data()}) == Status::kIndexOutOfRange);
      CHECK(std::isnan(untouched.data()[0]) && std::isnan(untouched.data()[rows * vocab - 1]));
    }
  }
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  for_each_isa([](const statespace::KernelTable& table) {
    test_softmax(table);
    test_cross_entropy(table);
  });
  return finish("cross_entropy");
}

/// The fused output head against the unfused formula in double.
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "check.h"

namespace statespace::test {
namespace {

struct Case {
  int64_t rows, dim, vocab;
  bool bias;
  /// Every how many rows one is ignored; 0 for none.
  int64_t ignore_every;
  /// Scale of the weights: large ones give sharp distributions.
  float sharpness;
  bool ties = false;
};

struct Head {
  std::vector<float> x, weight, bias;
  std::vector<int32_t> targets;
};

struct Answer {
  double largest_logit = 0;
  double loss = 0;
  double correct = 0;
  std::vector<double> grad_x, grad_weight, grad_bias;
};

constexpr int32_t kIgnore = -100;

Head make_head(const Case& c, uint64_t seed) {
  Random random(seed);
  Head h{random.floats(c.rows * c.dim), random.floats(c.vocab * c.dim, -c.sharpness, c.sharpness),
         random.floats(c.vocab), {}};
  for (int64_t row = 0; row < c.rows; ++row) {
    const bool ignored = c.ignore_every > 0 && row % c.ignore_every == 0;
    h.targets.push_back(ignored ? kIgnore : static_cast<int32_t>(random.below(c.vocab)));
  }
  if (c.ties) {
    // Copies of one row far apart, so that several entries share the largest logit exactly.
    for (int64_t v = 0; v < c.vocab; ++v) {
      for (int64_t i = 0; i < c.dim; ++i) {
        h.weight[static_cast<size_t>(v * c.dim + i)] = h.weight[static_cast<size_t>(v % 3 * c.dim + i)];
      }
      h.bias[static_cast<size_t>(v)] = h.bias[static_cast<size_t>(v % 3)];
    }
    for (int64_t row = 0; row < c.rows; ++row) h.targets[static_cast<size_t>(row)] = static_cast<int32_t>(row % 6);
  }
  return h;
}

Answer answer_in_double(const Case& c, const Head& h) {
  Answer a;
  a.grad_x.resize(h.x.size());
  a.grad_weight.resize(h.weight.size());
  a.grad_bias.resize(h.bias.size());
  double counted = 0;
  for (const int32_t target : h.targets) counted += target == kIgnore ? 0 : 1;
  std::vector<double> logits(static_cast<size_t>(c.vocab));
  for (int64_t row = 0; row < c.rows; ++row) {
    const int32_t target = h.targets[static_cast<size_t>(row)];
    if (target == kIgnore) continue;
    const float* x = h.x.data() + row * c.dim;
    size_t best = 0;
    for (size_t v = 0; v < logits.size(); ++v) {
      const float* w = h.weight.data() + static_cast<int64_t>(v) * c.dim;
      double sum = 0;
      for (int64_t i = 0; i < c.dim; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(w[i]);
      logits[v] = sum + (c.bias ? static_cast<double>(h.bias[v]) : 0);
      if (logits[v] > logits[best]) best = v;
      a.largest_logit = std::fmax(a.largest_logit, std::fabs(logits[v]));
    }
    a.correct += best == static_cast<size_t>(target) ? 1 : 0;
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit - logits[best]);
    a.loss += logits[best] + std::log(sum) - logits[static_cast<size_t>(target)];
    for (size_t v = 0; v < logits.size(); ++v) {
      const double p = std::exp(logits[v] - logits[best]) / sum;
      const double grad = (p - (v == static_cast<size_t>(target) ? 1 : 0)) / counted;
      a.grad_bias[v] += grad;
      for (int64_t i = 0; i < c.dim; ++i) {
        const size_t w = v * static_cast<size_t>(c.dim) + static_cast<size_t>(i);
        a.grad_x[static_cast<size_t>(row * c.dim + i)] += grad * static_cast<double>(h.weight[w]);
        a.grad_weight[w] += grad * static_cast<double>(x[i]);
      }
    }
  }
  if (counted > 0) a.loss /= counted;
  return a;
}

LinearCrossEntropyArgs args_of(const Case& c, const Head& h) {
  LinearCrossEntropyArgs args = {};
  args.rows = c.rows;
  args.dim = c.dim;
  args.vocab = c.vocab;
  args.x = h.x.data();
  args.x_row_stride = c.dim;
  args.weight = h.weight.data();
  args.bias = c.bias ? h.bias.data() : nullptr;
  args.targets = h.targets.data();
  args.ignore_index = kIgnore;
  return args;
}

void run_case(const KernelTable& table, const Case& c, uint64_t seed) {
  const Head h = make_head(c, seed);
  const Answer wanted = answer_in_double(c, h);
  char name[128];
  std::snprintf(name, sizeof name, "head %s rows %lld dim %lld vocab %lld sharpness %g", table.isa,
                static_cast<long long>(c.rows), static_cast<long long>(c.dim), static_cast<long long>(c.vocab),
                static_cast<double>(c.sharpness));
  const int64_t x_size = c.rows * c.dim;
  const int64_t weight_size = c.vocab * c.dim;
  const auto ours = SAME_FOR_EVERY_THREAD_COUNT(
      [&] {
        Output scalars(2);
        Output grad_x(x_size);
        Output grad_weight(weight_size);
        Output grad_bias(c.vocab);
        LinearCrossEntropyArgs args = args_of(c, h);
        args.loss = scalars.data();
        args.correct = scalars.data() + 1;
        args.grad_x = grad_x.data();
        args.grad_weight = grad_weight.data();
        args.grad_bias = grad_bias.data();
        CHECK(table.linear_cross_entropy(args) == Status::kOk);
        CHECK(scalars.intact() && grad_x.intact() && grad_weight.intact() && grad_bias.intact());
        std::vector<float> all(scalars.data(), scalars.data() + 2);
        for (const Output* part : std::vector<const Output*>({&grad_x, &grad_weight, &grad_bias})) {
          all.insert(all.end(), part->data(), part->data() + part->size());
        }
        return all;
      },
      name);
  // A float logit is off by a few units of 6e-8 times its size, and a probability relatively by as much; equal rows
  // add up their roundings in one direction.
  const double tolerance = (c.ties ? 2e-5 : 5e-6) + 3e-7 * wanted.largest_logit;
  const float* at = ours.data() + 2;
  CHECK_CLOSE(ours.data(), &wanted.loss, 1, 2e-6, name);
  CHECK(static_cast<double>(ours[1]) == wanted.correct);
  CHECK_CLOSE(at, wanted.grad_x.data(), x_size, tolerance, name);
  CHECK_CLOSE(at + x_size, wanted.grad_weight.data(), weight_size, tolerance, name);
  CHECK_CLOSE(at + x_size + weight_size, wanted.grad_bias.data(), c.vocab, tolerance, name);

  // Without gradients, and with each alone, the numbers are the same.
  float loss = std::numeric_limits<float>::quiet_NaN();
  LinearCrossEntropyArgs args = args_of(c, h);
  args.loss = &loss;
  CHECK(table.linear_cross_entropy(args) == Status::kOk);
  CHECK_SAME_BITS(&loss, ours.data(), 1, "loss alone");
  Output grad_x(x_size), grad_weight(weight_size);
  args.grad_x = grad_x.data();
  CHECK(table.linear_cross_entropy(args) == Status::kOk);
  CHECK_SAME_BITS(grad_x.data(), at, x_size, "grad_x alone");
  args.grad_x = nullptr;
  args.grad_weight = grad_weight.data();
  CHECK(table.linear_cross_entropy(args) == Status::kOk);
  CHECK_SAME_BITS(grad_weight.data(), at + x_size, weight_size, "grad_weight alone");
}

void test_refusals(const KernelTable& table) {
  const Case c = {4, 8, 10, false, 0, 1};
  Head h = make_head(c, 1);
  float loss = 0;
  LinearCrossEntropyArgs args = args_of(c, h);
  args.loss = &loss;
  h.targets[2] = 10;
  std::vector<float> untouched(4 * 8, 7.0f), weight_untouched(10 * 8, 7.0f), bias_untouched(10, 7.0f);
  args.grad_x = untouched.data();
  args.grad_weight = weight_untouched.data();
  args.grad_bias = bias_untouched.data();
  CHECK(table.linear_cross_entropy(args) == Status::kIndexOutOfRange);
  bool intact = loss == 0;
  for (const auto* part : {&untouched, &weight_untouched, &bias_untouched}) {
    for (const float value : *part) intact &= value == 7.0f;
  }
  CHECK(intact);
  h.targets[2] = -1;
  CHECK(table.linear_cross_entropy(args) == Status::kIndexOutOfRange);
  h.targets[2] = 0;
  args.x = nullptr;
  CHECK(table.linear_cross_entropy(args) == Status::kBadArgument);
}

void test_not_a_number(const KernelTable& table) {
  const Case c = {40, 8, 1000, false, 0, 1};
  Head h = make_head(c, 2);
  h.x[100] = std::numeric_limits<float>::quiet_NaN();
  float loss = 0;
  float correct = 0;
  LinearCrossEntropyArgs args = args_of(c, h);
  args.loss = &loss;
  args.correct = &correct;
  CHECK(table.linear_cross_entropy(args) == Status::kOk);
  CHECK(std::isnan(loss) && correct >= 0 && correct < 40);
}

/// What stands in an ignored row does not matter.
void test_ignored_not_a_number(const KernelTable& table) {
  const Case c = {20, 8, 90, true, 5, 1};
  Head h = make_head(c, 3);
  const Answer wanted = answer_in_double(c, h);
  h.x[5 * 8 + 2] = std::numeric_limits<float>::quiet_NaN();
  Output loss(1), grad_x(c.rows * c.dim), grad_weight(c.vocab * c.dim), grad_bias(c.vocab);
  LinearCrossEntropyArgs args = args_of(c, h);
  args.loss = loss.data();
  args.grad_x = grad_x.data();
  args.grad_weight = grad_weight.data();
  args.grad_bias = grad_bias.data();
  CHECK(table.linear_cross_entropy(args) == Status::kOk);
  CHECK_CLOSE(loss.data(), &wanted.loss, 1, 2e-6, "loss with an ignored NaN");
  CHECK_CLOSE(grad_x.data(), wanted.grad_x.data(), c.rows * c.dim, 5e-6, "grad_x with an ignored NaN");
  CHECK_CLOSE(grad_weight.data(), wanted.grad_weight.data(), c.vocab * c.dim, 5e-6, "grad_weight with an ignored NaN");
  CHECK_CLOSE(grad_bias.data(), wanted.grad_bias.data(), c.vocab, 5e-6, "grad_bias with an ignored NaN");
}

}  // namespace
}  // namespace statespace::test

int main() {
  using namespace statespace::test;
  for_each_isa([](const statespace::KernelTable& table) {
    uint64_t seed = 40;
    for (const bool bias : {false, true}) {
      run_case(table, {0, 5, 7, bias, 0, 1}, seed++);
      run_case(table, {1, 1, 1, bias, 0, 1}, seed++);
      run_case(table, {3, 5, 2, bias, 0, 1}, seed++);
      run_case(table, {17, 64, 449, bias, 3, 1}, seed++);
      run_case(table, {33, 20, 1000, bias, 1, 1}, seed++);  // every row ignored
      if (kEmulated && !bias) continue;                     // the rest takes long
      run_case(table, {300, 16, 1300, bias, 5, 1}, seed++);
      run_case(table, {530, 12, 70, bias, 0, 0.3f}, seed++);
      run_case(table, {40, 67, 2000, bias, 0, 30}, seed++);  // sharp: logits rise far above the target's
      run_case(table, {40, 8, 2000, bias, 4, 100}, seed++);
      run_case(table, {60, 8, 1001, bias, 0, 1, true}, seed++);  // equal logits
    }
    test_refusals(table);
    test_not_a_number(table);
    test_ignored_not_a_number(table);
  });
  return finish("linear_cross_entropy");
}

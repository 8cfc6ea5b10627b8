/// Causal convolution, backward: the double oracle against finite differences, the kernels against the oracle.
#include "causal_conv1d_case.h"

using namespace statespace;
using namespace statespace::test;

namespace {

// f32 against f64, as the forward pass.
constexpr double kTolerance = 2e-6;

double loss(const ConvProblem& p, const ConvValues& v) {
  const ConvResult r = conv_oracle(p.shape, v, p.options.silu);
  double sum = 0;
  for (size_t i = 0; i < r.out.size(); ++i) sum += p.grad_out[i] * r.out[i];
  for (size_t i = 0; i < r.final_states.size(); ++i) sum += p.grad_final[i] * r.final_states[i];
  return sum;
}

/// The oracle's own gradient, against central differences.
void check_oracle(const ConvShape& shape) {
  const ConvProblem problem(shape, {}, 5);
  ConvValues v = conv_values(problem);
  const ConvValues g = conv_oracle_backward(shape, v, true, problem.grad_out, problem.grad_final);
  const auto check = [&](std::vector<double>& values, const std::vector<double>& gradient) {
    for (size_t i = 0; i < values.size(); ++i) {
      const double kept = values[i], h = 1e-5;
      values[i] = kept + h;
      const double up = loss(problem, v);
      values[i] = kept - h;
      const double down = loss(problem, v);
      values[i] = kept;
      CHECK(std::fabs((up - down) / (2 * h) - gradient[i]) <= 1e-7 * std::fmax(1.0, std::fabs(gradient[i])));
    }
  };
  check(v.x, g.x), check(v.weight, g.weight), check(v.bias, g.bias), check(v.initial, g.initial);
}

void check_case(const KernelTable& kernels, const ConvProblem& problem, bool with_final) {
  const ConvShape& s = problem.shape;
  const ConvValues wanted =
      conv_oracle_backward(s, conv_values(problem), problem.options.silu, problem.grad_out,
                           with_final ? problem.grad_final : std::vector<float>());
  const auto run = [&] {
    CausalConv1dBackwardArgs args;
    problem.fill(args);
    Output x(s.elements()), weight(s.dim * s.width), bias(s.dim), initial(s.state_size());
    args.grad_out = problem.grad_view();
    if (with_final) args.grad_final_states = problem.grad_final.data();
    args.grad_x = problem.output(x.data()), args.grad_weight = weight.data(), args.grad_bias = bias.data();
    args.grad_initial_states = initial.data();
    CHECK(kernels.causal_conv1d_backward(args) == Status::kOk);
    std::vector<float> all;
    for (const Output* output : {&x, &weight, &bias, &initial}) {
      CHECK(output->intact());
      all.insert(all.end(), output->data(), output->data() + output->size());
    }
    return all;
  };
  const std::vector<float> ours = SAME_FOR_EVERY_THREAD_COUNT(run, "causal convolution backward");
  const float* next = ours.data();
  const auto check = [&](const std::vector<double>& gradient, const char* name) {
    const auto size = static_cast<int64_t>(gradient.size());
    CHECK_CLOSE(next, gradient.data(), size, kTolerance, name);
    next += size;
  };
  check(wanted.x, "grad_x"), check(wanted.weight, "grad_weight"), check(wanted.bias, "grad_bias");
  check(wanted.initial, "grad_initial_states");
}

/// Absent gradients are not computed and do not change the others.
void check_subsets(const KernelTable& kernels) {
  const ConvProblem problem({2, 21, 37, 4, {}}, {}, 3);
  CausalConv1dBackwardArgs args;
  problem.fill(args);
  args.grad_out = problem.grad_view();
  CHECK(kernels.causal_conv1d_backward(args) == Status::kOk);
  Output all(37 * 4), alone(37 * 4), x(2 * 21 * 37);
  args.grad_weight = all.data(), args.grad_x = problem.output(x.data());
  CHECK(kernels.causal_conv1d_backward(args) == Status::kOk);
  args.grad_weight = alone.data(), args.grad_x = {};
  CHECK(kernels.causal_conv1d_backward(args) == Status::kOk);
  CHECK_SAME_BITS(all.data(), alone.data(), 37 * 4, "grad_weight alone");
  args.grad_out.data = nullptr;
  CHECK(kernels.causal_conv1d_backward(args) == Status::kBadArgument);
}

}  // namespace

int main() {
  check_oracle({2, 5, 3, 4, {}});
  check_oracle({1, 9, 2, 3, {0, 1, 1, 6, 9}});
  for_each_isa([](const KernelTable& kernels) {
    uint64_t seed = 1;
    for (const ConvShape& shape : conv_shapes()) {
      for (int bits = 0; bits < 8; ++bits) {
        const ConvOptions options = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, bits % 3};
        check_case(kernels, ConvProblem(shape, options, seed), seed % 3 != 0);
        ++seed;
      }
    }
    check_subsets(kernels);
  });
  return finish("causal_conv1d_grad");
}

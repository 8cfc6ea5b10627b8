/// Selective scan, backward: the double oracle against finite differences, the kernels against the oracle.
#include <cmath>

#include "selective_scan_case.h"

using namespace statespace;
using namespace statespace::test;

namespace {

// f32 against f64, as the forward pass.
constexpr double kTolerance = 3e-6;

double loss(const ScanShape& s, const ScanTensors& x, const std::vector<double>& grad_out,
            const std::vector<double>& grad_last) {
  const ScanResult r = scan_oracle(s, x);
  double sum = 0;
  for (size_t i = 0; i < r.out.size(); ++i) sum += grad_out[i] * r.out[i];
  for (size_t i = 0; i < r.last_state.size(); ++i) sum += grad_last[i] * r.last_state[i];
  return sum;
}

/// The oracle's own gradient, against central differences.
void check_oracle(const ScanShape& shape) {
  ScanCase problem(shape, {}, 5);
  const std::vector<double> grad_out = widen(problem.grad_out), grad_last = widen(problem.grad_last);
  ScanTensors x = problem.tensors;
  const ScanGradients g = scan_oracle_backward(shape, x, grad_out, grad_last);
  const auto check = [&](std::vector<double>& values, const std::vector<double>& gradient) {
    for (size_t i = 0; i < values.size(); i += 1 + values.size() / 40) {
      const double kept = values[i], h = 1e-5;
      values[i] = kept + h;
      const double up = loss(shape, x, grad_out, grad_last);
      values[i] = kept - h;
      const double down = loss(shape, x, grad_out, grad_last);
      values[i] = kept;
      CHECK(std::fabs((up - down) / (2 * h) - gradient[i]) <= 1e-7 * std::fmax(1.0, std::fabs(gradient[i])));
    }
  };
  check(x.u, g.u), check(x.delta, g.delta), check(x.A, g.A), check(x.B, g.B), check(x.C, g.C), check(x.D, g.D);
  check(x.z, g.z), check(x.delta_bias, g.delta_bias), check(x.initial_state, g.initial_state);
}

ScanGradients wanted_gradients(const ScanCase& problem, bool with_last) {
  return scan_oracle_backward(problem.shape, problem.tensors, widen(problem.grad_out),
                              with_last ? widen(problem.grad_last) : std::vector<double>());
}

void check_case(const KernelTable& kernels, const ScanCase& problem, const ScanGradients& wanted, bool with_last,
                bool with_checkpoints) {
  const ScanShape& s = problem.shape;
  const int64_t elements = s.batch * s.seq_len * s.dim, weights = s.dim * s.d_state;
  const int64_t states = s.sequences() * weights;
  std::vector<float> checkpoints;
  if (with_checkpoints) {
    SelectiveScanArgs forward;
    problem.fill(forward);
    checkpoints.assign(static_cast<size_t>(selective_scan_checkpoint_size(forward)), NAN);
    std::vector<float> out(static_cast<size_t>(elements));
    forward.out = problem.output(out.data()), forward.checkpoints = checkpoints.data();
    CHECK(kernels.selective_scan(forward) == Status::kOk);
  }
  const bool gate = problem.options.gate;
  const int64_t sizes[] = {elements, elements, weights, s.b_size(), s.c_size(), s.dim,
                           gate ? elements : 0, s.dim, states};
  const auto run = [&] {
    SelectiveScanBackwardArgs args;
    problem.fill(args);
    args.grad_out = problem.grad_rows.view(s.seq_len);
    if (with_last) args.grad_last_state = problem.grad_last.data();
    if (with_checkpoints) args.checkpoints = checkpoints.data();
    std::vector<Output> outputs;
    for (const int64_t size : sizes) outputs.emplace_back(size);
    args.grad_u = problem.output(outputs[0].data()), args.grad_delta = problem.output(outputs[1].data());
    args.grad_A = outputs[2].data();
    args.grad_B = problem.output_B(outputs[3].data()), args.grad_C = problem.output_C(outputs[4].data());
    args.grad_D = outputs[5].data();
    if (gate) args.grad_z = problem.output(outputs[6].data());
    args.grad_delta_bias = outputs[7].data(), args.grad_initial_state = outputs[8].data();
    CHECK(kernels.selective_scan_backward(args) == Status::kOk);
    std::vector<float> all;
    for (const Output& output : outputs) {
      CHECK(output.intact());
      all.insert(all.end(), output.data(), output.data() + output.size());
    }
    return all;
  };
  const std::vector<float> ours = SAME_FOR_EVERY_THREAD_COUNT(run, "selective scan backward");
  const std::vector<double>* const gradients[] = {&wanted.u, &wanted.delta,      &wanted.A,
                                                  &wanted.B, &wanted.C,          &wanted.D,
                                                  &wanted.z, &wanted.delta_bias, &wanted.initial_state};
  const char* const names[] = {"grad_u", "grad_delta", "grad_A",          "grad_B",            "grad_C",
                               "grad_D", "grad_z",     "grad_delta_bias", "grad_initial_state"};
  int64_t offset = 0;
  for (int i = 0; i < 9; ++i) {
    CHECK_CLOSE(ours.data() + offset, gradients[i]->data(), sizes[i], kTolerance, names[i]);
    offset += sizes[i];
  }
}

/// Absent gradients are not computed and do not change the others.
void check_subsets(const KernelTable& kernels) {
  const ScanCase problem({2, 21, 37, 5, 1, 1, {}}, {}, 3);
  SelectiveScanBackwardArgs args;
  problem.fill(args);
  args.grad_out = problem.grad_rows.view(21);
  CHECK(kernels.selective_scan_backward(args) == Status::kOk);
  Output all(2 * 21 * 37), alone(2 * 21 * 37), grad_A(37 * 5), grad_B(2 * 21 * 5);
  args.grad_delta = problem.output(all.data()), args.grad_A = grad_A.data();
  args.grad_B = problem.output_B(grad_B.data());
  CHECK(kernels.selective_scan_backward(args) == Status::kOk);
  args.grad_delta = problem.output(alone.data()), args.grad_A = nullptr, args.grad_B = {};
  CHECK(kernels.selective_scan_backward(args) == Status::kOk);
  CHECK_SAME_BITS(all.data(), alone.data(), all.size(), "grad_delta alone");
  args.grad_out.data = nullptr;
  CHECK(kernels.selective_scan_backward(args) == Status::kBadArgument);
}

}  // namespace

int main() {
  check_oracle({2, 5, 3, 2, 1, 1, {}});
  check_oracle({1, 5, 4, 2, 2, 1, {}});
  check_oracle({2, 4, 3, 2, 0, 0, {}});
  check_oracle({1, 7, 3, 2, 1, 1, {0, 3, 3, 7}});
  // States so many and a sequence so long that the kernel keeps checkpoints on two levels.
  const ScanCase large = kEmulated ? ScanCase({1, 16 * 66 + 5, 9, 20, 1, 1, {}}, {}, 77)
                                   : ScanCase({1, 16 * 66 + 5, 256, 256, 1, 1, {}}, {}, 77);
  const ScanGradients wanted_of_large = wanted_gradients(large, true);
  for_each_isa([&](const KernelTable& kernels) {
    uint64_t seed = 1;
    for (const ScanShape& shape : scan_shapes()) {
      const ScanCase problem(shape, {}, seed++);
      const ScanGradients wanted = wanted_gradients(problem, true);
      check_case(kernels, problem, wanted, true, false);
      check_case(kernels, problem, wanted, true, true);
    }
    for (int bits = 0; bits < 64; ++bits) {
      const ScanOptions options = {(bits & 1) != 0, (bits & 2) != 0,  (bits & 4) != 0,
                                   (bits & 8) != 0, (bits & 16) != 0, (bits & 32) != 0 ? 5 : 0};
      const ScanCase problem({2, 21, 19, 3, 1, 1, {}}, options, seed++);
      check_case(kernels, problem, wanted_gradients(problem, bits % 3 == 0), bits % 3 == 0, bits % 5 == 0);
    }
    check_case(kernels, large, wanted_of_large, true, false);
    check_subsets(kernels);
  });
  return finish("selective_scan_grad");
}

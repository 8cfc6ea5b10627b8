/// SSD scan, backward: the oracle against finite differences, the kernels against the oracle.
#include "ssd_case.h"

using namespace statespace;
using namespace statespace::test;

namespace {

constexpr double kTolerance = 1.6e-5;

double loss(const SsdShape& s, const SsdTensors& x, const std::vector<double>& grad_out,
            const std::vector<double>& grad_final) {
  const SsdResult r = ssd_oracle(s, x);
  double sum = 0;
  for (size_t i = 0; i < r.out.size(); ++i) sum += grad_out[i] * r.out[i];
  for (size_t i = 0; i < r.final_states.size(); ++i) sum += grad_final[i] * r.final_states[i];
  return sum;
}

/// The oracle's own gradient, against central differences.
void check_oracle(const SsdShape& shape, const SsdOptions& options) {
  const SsdCase problem(shape, options, 5);
  const std::vector<double> grad_out = in_double(problem.grad_out), grad_final = in_double(problem.grad_final);
  SsdTensors x = problem.tensors;
  const SsdGradients g = ssd_oracle_backward(shape, x, grad_out, grad_final);
  const auto check = [&](std::vector<double>& values, const std::vector<double>& gradient) {
    for (size_t i = 0; i < values.size(); i += 1 + values.size() / 40) {
      const double kept = values[i], h = 1e-5;
      values[i] = kept + h;
      const double up = loss(shape, x, grad_out, grad_final);
      values[i] = kept - h;
      const double down = loss(shape, x, grad_out, grad_final);
      values[i] = kept;
      CHECK(std::fabs((up - down) / (2 * h) - gradient[i]) <= 1e-7 * std::fmax(1.0, std::fabs(gradient[i])));
    }
  };
  check(x.x, g.x), check(x.dt, g.dt), check(x.A, g.A), check(x.B, g.B), check(x.C, g.C), check(x.D, g.D);
  check(x.z, g.z), check(x.dt_bias, g.dt_bias), check(x.initial, g.initial);
}

void check_case(const KernelTable& kernels, const SsdCase& problem, bool with_final) {
  const SsdShape& s = problem.shape;
  const SsdGradients wanted = ssd_oracle_backward(s, problem.tensors, in_double(problem.grad_out),
                                                  with_final ? in_double(problem.grad_final) : std::vector<double>());
  const int64_t skips = problem.options.skip_per_channel ? s.heads * s.head_dim : s.heads;
  const int64_t sizes[] = {s.elements(), s.steps(), s.heads, s.coefficients(), s.coefficients(), skips,
                           problem.options.gate ? s.elements() : 0, s.heads, s.states()};
  const auto run = [&] {
    SsdChunkScanBackwardArgs args;
    problem.fill(args);
    args.grad_out = problem.grad_rows.view(s.seq_len);
    if (with_final) args.grad_final_states = problem.grad_final.data();
    std::vector<Output> outputs;
    for (const int64_t size : sizes) outputs.emplace_back(size);
    args.grad_x = problem.output(outputs[0].data()), args.grad_dt = problem.output_dt(outputs[1].data());
    args.grad_A = outputs[2].data();
    args.grad_B = problem.output_B(outputs[3].data()), args.grad_C = problem.output_B(outputs[4].data());
    args.grad_D = outputs[5].data();
    if (problem.options.gate) args.grad_z = problem.output(outputs[6].data());
    args.grad_dt_bias = outputs[7].data(), args.grad_initial_states = outputs[8].data();
    CHECK(kernels.ssd_chunk_scan_backward(args) == Status::kOk);
    std::vector<float> all;
    for (const Output& output : outputs) {
      CHECK(output.intact());
      all.insert(all.end(), output.data(), output.data() + output.size());
    }
    return all;
  };
  const std::vector<float> ours = SAME_FOR_EVERY_THREAD_COUNT(run, "SSD scan backward");
  const std::vector<double>* const gradients[] = {&wanted.x, &wanted.dt, &wanted.A,       &wanted.B,      &wanted.C,
                                                  &wanted.D, &wanted.z,  &wanted.dt_bias, &wanted.initial};
  const char* const names[] = {"grad_x", "grad_dt", "grad_A",       "grad_B",             "grad_C",
                               "grad_D", "grad_z",  "grad_dt_bias", "grad_initial_states"};
  int64_t offset = 0;
  for (int i = 0; i < 9; ++i) {
    CHECK_CLOSE(ours.data() + offset, gradients[i]->data(), sizes[i], kTolerance, names[i]);
    offset += sizes[i];
  }
}

/// Steep decays, growing states, steps at the ends of softplus.
void check_extremes(const KernelTable& kernels) {
  for (const float rate : {-1e4f, -40.0f, -1e-6f, 0.125f}) {
    SsdCase problem({1, 70, 2, 5, 4, 1}, {}, 8);
    for (float& value : problem.A) value = rate;
    problem.rebuild();
    check_case(kernels, problem, true);
  }
  for (const float step : {-60.0f, 19.99f, 20.01f}) {
    SsdCase problem({1, 40, 2, 5, 4, 1}, {.bias = false}, 7);
    for (float& value : problem.dt) value = step;
    problem.rebuild();
    check_case(kernels, problem, true);
  }
}

/// Absent gradients do not change the others.
void check_subsets(const KernelTable& kernels) {
  const SsdCase problem({2, 37, 20, 5, 6, 1}, {}, 3);
  SsdChunkScanBackwardArgs args;
  problem.fill(args);
  args.grad_out = problem.grad_rows.view(37);
  CHECK(kernels.ssd_chunk_scan_backward(args) == Status::kOk);
  Output all(problem.shape.coefficients()), alone(problem.shape.coefficients());
  Output grad_A(20), grad_x(problem.shape.elements());
  args.grad_B = problem.output_B(all.data()), args.grad_A = grad_A.data();
  args.grad_x = problem.output(grad_x.data());
  CHECK(kernels.ssd_chunk_scan_backward(args) == Status::kOk);
  args.grad_B = problem.output_B(alone.data()), args.grad_A = nullptr, args.grad_x = {};
  CHECK(kernels.ssd_chunk_scan_backward(args) == Status::kOk);
  CHECK_SAME_BITS(all.data(), alone.data(), all.size(), "grad_B alone");
  args.grad_out.data = nullptr;
  CHECK(kernels.ssd_chunk_scan_backward(args) == Status::kBadArgument);
}

}  // namespace

int main() {
  check_oracle({2, 5, 4, 2, 3, 2}, {});
  check_oracle({1, 6, 2, 3, 2, 1}, {.softplus = false, .skip_per_channel = true, .limits = true});
  check_oracle({1, 7, 2, 2, 2, 1, 64, {0, 3, 3, 7}}, {});
  for_each_isa([](const KernelTable& kernels) {
    uint64_t seed = 1;
    for (const SsdShape& shape : ssd_shapes()) check_case(kernels, SsdCase(shape, {}, seed++), true);
    for (int bits = 0; bits < 256; bits += kEmulated ? 5 : 1) {
      const auto on = [&](int bit) { return (bits >> bit & 1) != 0; };
      const SsdOptions options = {on(0), on(1), on(2), on(3), on(4), on(5), on(6), on(7) ? 3 : 0};
      check_case(kernels, SsdCase({2, 37, 2, 7, 3, 1}, options, seed++), bits % 3 == 0);
    }
    check_case(kernels, SsdCase({1, 300, 3, 64, 128, 1, 256}, {}, seed++), true);
    // Chunks of one step, more than a worker holds states for: several segments.
    check_case(kernels, SsdCase({1, kEmulated ? 21 : 421, 2, 64, 128, 1, 1}, {}, seed++), true);
    check_extremes(kernels);
    check_subsets(kernels);
  });
  return finish("ssd_chunk_scan_grad");
}

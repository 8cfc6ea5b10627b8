/// The kernels in double against the double oracles, and the complex scan in both precisions: every instruction set, every
/// thread count.
#include <complex>

#include "causal_conv1d_case.h"
#include "selective_scan_case.h"
#include "ssd_case.h"

using namespace statespace;
using namespace statespace::test;

namespace {

// Sums of up to some thousand terms in another order.
constexpr double kTolerance = 1e-12;

using Doubles = OutputOf<double>;

SequenceTarget target_of(Doubles& output, int64_t seq_len, int64_t width) {
  return {output.data(), seq_len * width, width, kPackedOuter, 1, DType::kF64};
}

SequenceView view_of(const std::vector<double>& values, int64_t seq_len, int64_t width) {
  return {values.data(), seq_len * width, width, kPackedOuter, 1, DType::kF64};
}

const double* or_null(const std::vector<double>& values) { return values.empty() ? nullptr : values.data(); }

/// Runs `call(outputs)` for each number of threads; outputs have `sizes`, and must not change with the threads.
template <typename Call>
std::vector<std::vector<double>> outputs_of(const std::vector<int64_t>& sizes, const Call& call, const char* what) {
  std::vector<std::vector<double>> first;
  for (const int32_t threads : kThreadCounts) {
    use_threads(threads);
    std::vector<Doubles> outputs;
    for (const int64_t size : sizes) outputs.emplace_back(size);
    CHECK(call(outputs) == Status::kOk);
    for (size_t i = 0; i < outputs.size(); ++i) {
      CHECK(outputs[i].intact());
      std::vector<double> values(outputs[i].data(), outputs[i].data() + outputs[i].size());
      if (threads == kThreadCounts[0]) {
        first.push_back(values);
      } else {
        check_true(values == first[i], __FILE__, __LINE__, what);
      }
    }
  }
  use_threads(0);
  return first;
}

void check_values(const std::vector<double>& ours, const std::vector<double>& wanted, const char* what) {
  const auto count = static_cast<int64_t>(wanted.size());
  if (check_true(ours.size() == wanted.size(), __FILE__, __LINE__, what)) {
    CHECK_CLOSE(ours.data(), wanted.data(), count, kTolerance, what);
  }
}

void check_scan(const KernelTable& kernels, const ScanCase& problem) {
  const ScanShape& s = problem.shape;
  const ScanTensors& t = problem.tensors;
  const std::vector<double> grad_out = widen(problem.grad_out), grad_last = widen(problem.grad_last);
  const auto fill = [&](SelectiveScanInputsOf<double>& a) {
    a.batch = s.batch, a.seq_len = s.seq_len, a.dim = s.dim, a.d_state = s.d_state;
    a.b_groups = s.b_groups, a.c_groups = s.c_groups;
    a.u = view_of(t.u, s.seq_len, s.dim), a.delta = view_of(t.delta, s.seq_len, s.dim), a.A = t.A.data();
    a.B = view_of(t.B, s.seq_len, s.b_groups * s.d_state), a.C = view_of(t.C, s.seq_len, s.c_groups * s.d_state);
    a.D = or_null(t.D), a.delta_bias = or_null(t.delta_bias), a.initial_state = or_null(t.initial_state);
    if (!t.z.empty()) a.z = view_of(t.z, s.seq_len, s.dim);
    a.delta_softplus = t.softplus;
    if (!s.offsets.empty()) a.sequences = sequences_of(problem.spans);
  };
  const int64_t elements = s.batch * s.seq_len * s.dim, weights = s.dim * s.d_state, states = s.sequences() * weights;
  const auto forward = outputs_of({elements, states}, [&](std::vector<Doubles>& o) {
    SelectiveScanArgsOf<double> a;
    fill(a);
    a.out = target_of(o[0], s.seq_len, s.dim), a.last_state = o[1].data();
    return kernels.selective_scan_f64(a);
  }, "selective scan in double");
  const ScanResult wanted = scan_oracle(s, t);
  check_values(forward[0], wanted.out, "out"), check_values(forward[1], wanted.last_state, "last_state");

  const int64_t gated = problem.options.gate ? elements : 0;
  const auto backward = outputs_of({elements, elements, weights, s.b_size(), s.c_size(), s.dim, gated, s.dim, states},
                                   [&](std::vector<Doubles>& o) {
    SelectiveScanBackwardArgsOf<double> a;
    fill(a);
    a.grad_out = view_of(grad_out, s.seq_len, s.dim), a.grad_last_state = grad_last.data();
    a.grad_u = target_of(o[0], s.seq_len, s.dim), a.grad_delta = target_of(o[1], s.seq_len, s.dim), a.grad_A = o[2].data();
    a.grad_B = target_of(o[3], s.seq_len, s.b_groups * s.d_state);
    a.grad_C = target_of(o[4], s.seq_len, s.c_groups * s.d_state);
    a.grad_D = o[5].data(), a.grad_delta_bias = o[7].data(), a.grad_initial_state = o[8].data();
    if (gated > 0) a.grad_z = target_of(o[6], s.seq_len, s.dim);
    return kernels.selective_scan_backward_f64(a);
  }, "selective scan backward in double");
  const ScanGradients g = scan_oracle_backward(s, t, grad_out, grad_last);
  const std::vector<double>* const all[] = {&g.u, &g.delta, &g.A, &g.B, &g.C, &g.D, &g.z, &g.delta_bias, &g.initial_state};
  for (int i = 0; i < 9; ++i) {
    if (!backward[i].empty()) check_values(backward[i], *all[i], "gradient of the scan in double");
  }
}

void check_conv(const KernelTable& kernels, const ConvProblem& problem) {
  const ConvShape& s = problem.shape;
  const ConvValues v = conv_values(problem);
  const std::vector<double> grad_out(problem.grad_out.begin(), problem.grad_out.end());
  const std::vector<double> grad_final(problem.grad_final.begin(), problem.grad_final.end());
  const auto fill = [&](CausalConv1dInputsOf<double>& a) {
    a.batch = s.batch, a.seq_len = s.seq_len, a.dim = s.dim, a.width = s.width;
    a.x = view_of(v.x, s.seq_len, s.dim), a.weight = v.weight.data(), a.bias = v.bias.data();
    a.initial_states = v.initial.data();
    a.activation = problem.options.silu ? Activation::kSilu : Activation::kNone;
    if (!s.offsets.empty()) a.sequences = sequences_of(problem.spans);
  };
  const auto forward = outputs_of({s.elements(), s.state_size()}, [&](std::vector<Doubles>& o) {
    CausalConv1dArgsOf<double> a;
    fill(a);
    a.out = target_of(o[0], s.seq_len, s.dim), a.final_states = o[1].data();
    return kernels.causal_conv1d_f64(a);
  }, "convolution in double");
  const ConvResult wanted = conv_oracle(s, v, problem.options.silu);
  check_values(forward[0], wanted.out, "out"), check_values(forward[1], wanted.final_states, "final_states");
  const auto backward = outputs_of({s.elements(), s.dim * s.width, s.dim, s.state_size()}, [&](std::vector<Doubles>& o) {
    CausalConv1dBackwardArgsOf<double> a;
    fill(a);
    a.grad_out = view_of(grad_out, s.seq_len, s.dim), a.grad_final_states = grad_final.data();
    a.grad_x = target_of(o[0], s.seq_len, s.dim), a.grad_weight = o[1].data(), a.grad_bias = o[2].data();
    a.grad_initial_states = o[3].data();
    return kernels.causal_conv1d_backward_f64(a);
  }, "convolution backward in double");
  const ConvValues g = conv_oracle_backward(s, v, problem.options.silu, problem.grad_out, problem.grad_final);
  check_values(backward[0], g.x, "grad_x"), check_values(backward[1], g.weight, "grad_weight");
  check_values(backward[2], g.bias, "grad_bias"), check_values(backward[3], g.initial, "grad_initial_states");
}

/// Either SSD scan: `Forward` and `Backward` are the arguments of its kernels.
template <typename Forward, typename Backward>
void check_ssd(const SsdCase& problem, Status (*forward_kernel)(const Forward&) noexcept,
               Status (*backward_kernel)(const Backward&) noexcept) {
  const SsdShape& s = problem.shape;
  const SsdTensors& t = problem.tensors;
  const std::vector<double> grad_out = in_double(problem.grad_out), grad_final = in_double(problem.grad_final);
  const int64_t inner = s.heads * s.head_dim, weights = s.groups * s.d_state;
  const auto fill = [&](SsdChunkScanInputsOf<double>& a) {
    a.batch = s.batch, a.seq_len = s.seq_len, a.n_heads = s.heads, a.head_dim = s.head_dim, a.d_state = s.d_state;
    a.n_groups = s.groups, a.chunk_size = s.chunk;
    a.x = view_of(t.x, s.seq_len, inner), a.dt = view_of(t.dt, s.seq_len, s.heads), a.A = t.A.data();
    a.B = view_of(t.B, s.seq_len, weights), a.C = view_of(t.C, s.seq_len, weights);
    a.D = or_null(t.D), a.d_has_head_dim = t.skip_per_channel;
    if (!t.z.empty()) a.z = view_of(t.z, s.seq_len, inner);
    a.dt_bias = or_null(t.dt_bias), a.dt_softplus = t.softplus, a.dt_min = t.dt_min, a.dt_max = t.dt_max;
    a.initial_states = or_null(t.initial);
    if (!s.offsets.empty()) a.sequences = sequences_of(problem.spans);
  };
  const auto forward = outputs_of({s.elements(), s.states()}, [&](std::vector<Doubles>& o) {
    Forward a;
    fill(a);
    a.out = target_of(o[0], s.seq_len, inner), a.final_states = o[1].data();
    return forward_kernel(a);
  }, "SSD scan in double");
  const SsdResult wanted = ssd_oracle(s, t);
  check_values(forward[0], wanted.out, "out"), check_values(forward[1], wanted.final_states, "final_states");
  const int64_t skips = problem.options.skip_per_channel ? inner : s.heads;
  const int64_t gated = problem.options.gate ? s.elements() : 0;
  const auto backward = outputs_of({s.elements(), s.steps(), problem.rates(), s.coefficients(), s.coefficients(), skips, gated,
                                    s.heads, s.states()}, [&](std::vector<Doubles>& o) {
    Backward a;
    fill(a);
    a.grad_out = view_of(grad_out, s.seq_len, inner), a.grad_final_states = grad_final.data();
    a.grad_x = target_of(o[0], s.seq_len, inner), a.grad_dt = target_of(o[1], s.seq_len, s.heads), a.grad_A = o[2].data();
    a.grad_B = target_of(o[3], s.seq_len, weights), a.grad_C = target_of(o[4], s.seq_len, weights), a.grad_D = o[5].data();
    if (gated > 0) a.grad_z = target_of(o[6], s.seq_len, inner);
    a.grad_dt_bias = o[7].data(), a.grad_initial_states = o[8].data();
    return backward_kernel(a);
  }, "SSD scan backward in double");
  const SsdGradients g = ssd_oracle_backward(s, t, grad_out, grad_final);
  const std::vector<double>* const all[] = {&g.x, &g.dt, &g.A, &g.B, &g.C, &g.D, &g.z, &g.dt_bias, &g.initial};
  for (int i = 0; i < 9; ++i) {
    if (!backward[i].empty()) check_values(backward[i], *all[i], "gradient of the SSD scan in double");
  }
}

void check_ssd_scans(const KernelTable& kernels, const SsdShape& shape, SsdOptions options, uint64_t seed) {
  check_ssd(SsdCase(shape, options, seed), kernels.ssd_chunk_scan_f64, kernels.ssd_chunk_scan_backward_f64);
  options.rate_per_state = true;
  check_ssd(SsdCase(shape, options, seed), kernels.diagonal_ssd_f64, kernels.diagonal_ssd_backward_f64);
}

/// Decays that underflow at once beside some that never show, and softplus around its threshold.
void check_ssd_extremes(const KernelTable& kernels) {
  for (const float step : {-90.0f, -20.0f, 19.99f, 20.0f, 20.01f, 300.0f}) {
    SsdCase problem({1, 40, 2, 5, 4, 1}, {.bias = false, .rate_per_state = true}, 7);
    for (float& value : problem.dt) value = step;
    for (size_t i = 0; i < problem.A.size(); ++i) problem.A[i] = i % 2 == 0 ? -1e6f : -1e-6f;
    problem.rebuild();
    check_ssd(problem, kernels.diagonal_ssd_f64, kernels.diagonal_ssd_backward_f64);
  }
}

/// The complex scan against its recurrence written out, forward, in both precisions.
template <typename Real>
void check_complex(Status (*kernel)(const SelectiveScanArgsOf<Real>&) noexcept, double tolerance) {
  const int64_t L = 53, D = 21, N = 5;
  Random random(17);
  const auto numbers = [&](int64_t count, float low, float high) {
    const std::vector<float> drawn = random.floats(count, low, high);
    return std::vector<Real>(drawn.begin(), drawn.end());
  };
  const auto u = numbers(L * D, -1, 1), delta = numbers(L * D, 0.01f, 0.6f), B = numbers(L * N * 2, -1, 1);
  const auto C = numbers(L * N * 2, -1, 1);
  auto A = numbers(D * N * 2, -3, 3);
  for (int64_t i = 0; i < D * N; ++i) A[2 * i] = -std::fabs(A[2 * i]);
  std::vector<Real> out(static_cast<size_t>(L * D), NAN), last(static_cast<size_t>(D * N * 2), NAN);
  constexpr DType kType = sizeof(Real) == 8 ? DType::kF64 : DType::kF32;
  SelectiveScanArgsOf<Real> a;
  a.batch = 1, a.seq_len = L, a.dim = D, a.d_state = N;
  a.u = {u.data(), L * D, D, kPackedOuter, 1, kType}, a.delta = {delta.data(), L * D, D, kPackedOuter, 1, kType};
  a.A = A.data();
  a.B = {B.data(), L * N * 2, N * 2, kPackedOuter, 2, kType}, a.C = {C.data(), L * N * 2, N * 2, kPackedOuter, 2, kType};
  a.out = {out.data(), L * D, D, kPackedOuter, 1, kType}, a.last_state = last.data();
  CHECK(kernel(a) == Status::kOk);
  double worst = 0;
  for (int64_t d = 0; d < D; ++d) {
    std::vector<std::complex<double>> h(static_cast<size_t>(N));
    for (int64_t t = 0; t < L; ++t) {
      const double step = delta[t * D + d];
      double y = 0;
      for (int64_t n = 0; n < N; ++n) {
        const auto at = [n](const std::vector<Real>& v, int64_t row) {
          return std::complex<double>(v[2 * (row + n)], v[2 * (row + n) + 1]);
        };
        h[n] = std::exp(step * at(A, d * N)) * h[n] + step * static_cast<double>(u[t * D + d]) * at(B, t * N);
        y += 2 * (at(C, t * N) * h[n]).real();
      }
      worst = std::fmax(worst, std::fabs(y - static_cast<double>(out[t * D + d])));
    }
    for (int64_t n = 0; n < N; ++n) {
      worst = std::fmax(worst, std::fabs(h[n].imag() - static_cast<double>(last[2 * (d * N + n) + 1])));
    }
  }
  CHECK(worst <= tolerance);
}

}  // namespace

int main() {
  for_each_isa([](const KernelTable& kernels) {
    uint64_t seed = 1;
    for (const ScanShape& shape : scan_shapes()) check_scan(kernels, ScanCase(shape, {}, seed++));
    for (const ConvShape& shape : conv_shapes()) check_conv(kernels, ConvProblem(shape, {}, seed++));
    for (const SsdShape& shape : ssd_shapes()) check_ssd_scans(kernels, shape, {}, seed++);
    for (int bits = 0; bits < 64; ++bits) {
      const auto on = [&](int bit) { return (bits >> bit & 1) != 0; };
      check_scan(kernels, ScanCase({2, 21, 19, 3, 1, 1, {}}, {on(0), on(1), on(2), on(3), on(4), 0}, seed++));
      check_ssd_scans(kernels, {2, 37, 2, 7, 3, 1}, {on(0), on(1), on(2), on(3), on(4), on(5), bits % 3 == 0, 0}, seed++);
    }
    check_ssd_extremes(kernels);
    check_complex<float>(kernels.selective_scan_c64, 2e-5);
    check_complex<double>(kernels.selective_scan_c128, 1e-13);
  });
  return finish("float64");
}

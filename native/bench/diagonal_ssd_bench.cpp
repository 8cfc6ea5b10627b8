/// Diagonal SSD scan beside the kernels it stands between: the scalar SSD scan (one decay per head) and the selective
/// scan (one per channel and state), on the same x, B, C and the same number of states. The selective scan gets the
/// step of a head and its rates once for every channel, and so computes the same numbers.
///
/// The limit is the work of the multiplier ports at the measured FMA rate: 3 products for a state and step forward; 10
/// backward, 2 of them to rebuild the states.
#include <cstdio>

#include "bench_tensor.h"
#include "statespace/kernels.h"
#include "timing.h"

using namespace statespace;
using namespace statespace::bench;

namespace {

struct Shape {
  const char* name;
  int64_t batch, seq_len, heads, head_dim, d_state;
};

struct Problem {
  const Shape& s;
  int64_t rows, inner;
  Tensor x, dt, A, B, C, D, out, grad, grad_x, grad_dt, grad_A, grad_B, grad_C, grad_D;

  explicit Problem(const Shape& shape)
      : s(shape),
        rows(s.batch * s.seq_len),
        inner(s.heads * s.head_dim),
        x(rows * inner, -1, 1),
        dt(rows * s.heads, 0.01f, 0.2f),
        A(s.heads * s.d_state, -16, -0.1f),
        B(rows * s.d_state, -1, 1),
        C(rows * s.d_state, -1, 1),
        D(s.heads, -1, 1),
        out(rows * inner),
        grad(rows * inner, -1, 1),
        grad_x(rows * inner),
        grad_dt(rows * s.heads),
        grad_A(s.heads * s.d_state),
        grad_B(rows * s.d_state),
        grad_C(rows * s.d_state),
        grad_D(s.heads) {}

  void fill(SsdChunkScanInputs& a) {
    a.batch = s.batch, a.seq_len = s.seq_len, a.n_heads = s.heads, a.head_dim = s.head_dim, a.d_state = s.d_state;
    a.x = x.view(s.seq_len, inner), a.dt = dt.view(s.seq_len, s.heads);
    a.B = B.view(s.seq_len, s.d_state), a.C = C.view(s.seq_len, s.d_state);
    a.A = A.data(), a.D = D.data();
  }

  template <typename Backward>
  void fill_gradients(Backward& a) {
    fill(a);
    a.grad_out = grad.view(s.seq_len, inner);
    a.grad_x = grad_x.target(s.seq_len, inner), a.grad_dt = grad_dt.target(s.seq_len, s.heads);
    a.grad_A = grad_A.data(), a.grad_D = grad_D.data();
    a.grad_B = grad_B.target(s.seq_len, s.d_state), a.grad_C = grad_C.target(s.seq_len, s.d_state);
  }
};

struct Times {
  double forward, backward;
};

template <typename Forward, typename Backward, typename RunForward, typename RunBackward>
Times time_ssd(Problem& problem, const RunForward& run_forward, const RunBackward& run_backward) {
  Forward forward;
  problem.fill(forward);
  forward.out = problem.out.target(problem.s.seq_len, problem.inner);
  Backward backward;
  problem.fill_gradients(backward);
  return {best_time([&] { run_forward(forward); }), best_time([&] { run_backward(backward); })};
}

/// The selective scan of the same numbers, its steps and rates repeated over the channels of a head.
Times time_selective_scan(Problem& problem) {
  const Shape& s = problem.s;
  const KernelTable& k = *cpu_kernels();
  Tensor delta(problem.rows * problem.inner), A(problem.inner * s.d_state), D(problem.inner);
  for (int64_t i = 0; i < delta.size(); ++i) delta[i] = problem.dt[i / s.head_dim];
  for (int64_t i = 0; i < A.size(); ++i) A[i] = problem.A[i / (s.head_dim * s.d_state) * s.d_state + i % s.d_state];
  for (int64_t i = 0; i < D.size(); ++i) D[i] = problem.D[i / s.head_dim];
  const auto fill = [&](SelectiveScanInputs& a) {
    a.batch = s.batch, a.seq_len = s.seq_len, a.dim = problem.inner, a.d_state = s.d_state;
    a.u = problem.x.view(s.seq_len, problem.inner), a.delta = delta.view(s.seq_len, problem.inner);
    a.A = A.data(), a.D = D.data();
    a.B = problem.B.view(s.seq_len, s.d_state), a.C = problem.C.view(s.seq_len, s.d_state);
  };
  SelectiveScanArgs forward;
  fill(forward);
  forward.out = problem.out.target(s.seq_len, problem.inner);
  SelectiveScanBackwardArgs backward;
  fill(backward);
  Tensor grad_delta(delta.size()), grad_A(A.size()), grad_D(D.size());
  backward.grad_out = problem.grad.view(s.seq_len, problem.inner);
  backward.grad_u = problem.grad_x.target(s.seq_len, problem.inner);
  backward.grad_delta = grad_delta.target(s.seq_len, problem.inner);
  backward.grad_A = grad_A.data(), backward.grad_D = grad_D.data();
  backward.grad_B = problem.grad_B.target(s.seq_len, s.d_state);
  backward.grad_C = problem.grad_C.target(s.seq_len, s.d_state);
  return {best_time([&] { k.selective_scan(forward); }), best_time([&] { k.selective_scan_backward(backward); })};
}

void run(const Shape& s, double peak) {
  const KernelTable& k = *cpu_kernels();
  Problem problem(s);
  const double states = static_cast<double>(problem.rows * problem.inner * s.d_state);
  std::printf("%s (B %lld, L %lld, H %lld, P %lld, N %lld)\n", s.name, static_cast<long long>(s.batch),
              static_cast<long long>(s.seq_len), static_cast<long long>(s.heads), static_cast<long long>(s.head_dim),
              static_cast<long long>(s.d_state));
  const Times diagonal = time_ssd<DiagonalSsdArgs, DiagonalSsdBackwardArgs>(
      problem, [&](const DiagonalSsdArgs& a) { k.diagonal_ssd(a); },
      [&](const DiagonalSsdBackwardArgs& a) { k.diagonal_ssd_backward(a); });
  const Times scalar = time_ssd<SsdChunkScanArgs, SsdChunkScanBackwardArgs>(
      problem, [&](const SsdChunkScanArgs& a) { k.ssd_chunk_scan(a); },
      [&](const SsdChunkScanBackwardArgs& a) { k.ssd_chunk_scan_backward(a); });
  const Times selective = time_selective_scan(problem);
  const auto line = [&](const char* what, double ours, double products, double one_decay, double per_channel) {
    const double limit = 2e-9 * products * states / peak;
    std::printf("  %-9s %8.2f ms   limit %7.2f ms  %3.0f %%  %5.1f Gstate/s   scalar SSD %8.2f ms (%.2f x)   "
                "selective scan %8.2f ms (%.2f x)\n",
                what, 1e3 * ours, 1e3 * limit, 100 * limit / ours, 1e-9 * states / ours, 1e3 * one_decay,
                one_decay / ours, 1e3 * per_channel, per_channel / ours);
  };
  line("forward", diagonal.forward, 3, scalar.forward, selective.forward);
  line("backward", diagonal.backward, 10, scalar.backward, selective.backward);
}

}  // namespace

int main() {
  const double peak = fma_peak();
  std::printf("%s, %d threads: FMA %.0f GFLOP/s\n", isa_name(), num_threads(), peak);
  run({"heads of mamba2-130m, few states", 4, 2048, 24, 64, 16}, peak);
  run({"many states", 2, 1024, 24, 64, 128}, peak);
  run({"narrow heads", 4, 2048, 48, 32, 16}, peak);
  run({"narrowest heads", 4, 2048, 96, 16, 16}, peak);
  run({"wide heads", 4, 2048, 12, 128, 16}, peak);
  run({"study", 64, 128, 4, 32, 16}, peak);
  run({"one sequence", 1, 2048, 24, 64, 64}, peak);
  return 0;
}

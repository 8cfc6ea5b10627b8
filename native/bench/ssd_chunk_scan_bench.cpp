/// SSD scan, forward and backward, in GFLOP/s of the work its equations need, beside the machine's FMA peak.
#include <cstdio>

#include "bench_tensor.h"
#include "statespace/kernels.h"
#include "timing.h"

using namespace statespace;
using namespace statespace::bench;

namespace {

struct Shape {
  const char* name;
  int64_t batch, seq_len, heads, head_dim, d_state, groups;
};

/// Useful operations per step and head: the two products with the state, and the lower triangle of a chunk of 32. The
/// backward pass has four products with states of its own and rebuilds the states; with a gate, the output too.
double forward_flops(const Shape& s) { return 4.0 * s.head_dim * s.d_state + 32.0 * s.head_dim; }
double backward_flops(const Shape& s) {
  return 10.0 * s.head_dim * s.d_state + 32.0 * (2 * s.head_dim + 2 * s.d_state);
}

void run(const Shape& s, double peak) {
  const KernelTable& k = *cpu_kernels();
  const int64_t rows = s.batch * s.seq_len, inner = s.heads * s.head_dim, weights = s.groups * s.d_state;
  Tensor x(rows * inner, -1, 1), out(rows * inner), dt(rows * s.heads, -4, 0), A(s.heads, -1, -0.1f);
  Tensor B(rows * weights, -1, 1), C(rows * weights, -1, 1), D(s.heads, -1, 1), bias(s.heads, 0, 0.2f);
  const auto common = [&](SsdChunkScanInputs& a) {
    a.batch = s.batch, a.seq_len = s.seq_len, a.n_heads = s.heads, a.head_dim = s.head_dim, a.d_state = s.d_state;
    a.n_groups = s.groups, a.x = x.view(s.seq_len, inner), a.dt = dt.view(s.seq_len, s.heads), a.A = A.data();
    a.B = B.view(s.seq_len, weights), a.C = C.view(s.seq_len, weights);
    a.D = D.data(), a.dt_bias = bias.data(), a.dt_softplus = true;
  };
  std::printf("%s (B %lld, L %lld, H %lld, P %lld, N %lld, G %lld)\n", s.name, static_cast<long long>(s.batch),
              static_cast<long long>(s.seq_len), static_cast<long long>(s.heads), static_cast<long long>(s.head_dim),
              static_cast<long long>(s.d_state), static_cast<long long>(s.groups));
  const auto line = [&](const char* what, double time, double flops) {
    report(what, time, flops * static_cast<double>(rows * s.heads), "GFLOP/s", peak);
  };
  SsdChunkScanArgs forward;
  common(forward);
  forward.out = out.target(s.seq_len, inner);
  line("  forward", best_time([&] { k.ssd_chunk_scan(forward); }), forward_flops(s));

  Tensor grad(rows * inner, -1, 1), gx(rows * inner), gdt(rows * s.heads), gA(s.heads), gB(rows * weights);
  Tensor gC(rows * weights), gD(s.heads), gbias(s.heads);
  SsdChunkScanBackwardArgs back;
  common(back);
  back.grad_out = grad.view(s.seq_len, inner);
  back.grad_x = gx.target(s.seq_len, inner), back.grad_dt = gdt.target(s.seq_len, s.heads);
  back.grad_A = gA.data(), back.grad_B = gB.target(s.seq_len, weights);
  back.grad_C = gC.target(s.seq_len, weights), back.grad_D = gD.data(), back.grad_dt_bias = gbias.data();
  line("  backward", best_time([&] { k.ssd_chunk_scan_backward(back); }), backward_flops(s));
}

}  // namespace

int main() {
  const double peak = fma_peak();
  std::printf("%s, %d threads: FMA %.0f GFLOP/s\n", isa_name(), num_threads(), peak);
  run({"mamba2-130m", 4, 2048, 24, 64, 128, 1}, peak);
  run({"one sequence", 1, 2048, 24, 64, 128, 1}, peak);
  run({"small study", 64, 128, 4, 32, 16, 1}, peak);
  run({"eight groups", 2, 1024, 16, 64, 64, 8}, peak);
  return 0;
}

/// Selective scan: milliseconds, and their ratio to a limit made of measured probes.
///
/// The limit is the work of the multiplier ports at the measured FMA rate, for every 16 channels and step: forward, 8
/// products a state (5 for the decay, 3 for state and output), 19 for softplus and 15 for the gate; backward 8 and 8
/// more a state, and 75 for softplus, gate and their derivatives; without checkpoints 7 a state and 19 besides.
/// Memory traffic is printed beside it; it is below the machine's rate (first line).
#include <cstdio>

#include "bench_tensor.h"
#include "statespace/kernels.h"
#include "timing.h"

using namespace statespace;
using namespace statespace::bench;

namespace {

struct Shape {
  const char* name;
  int64_t batch, seq_len, dim, d_state;
};

void run(const Shape& s, double peak) {
  const int64_t rows = s.batch * s.seq_len, elements = rows * s.dim, weights = s.dim * s.d_state;
  Tensor u(elements, -1, 1), delta(elements, -2, 2), z(elements, -2, 2), A(weights), B(rows * s.d_state, -1, 1),
      C(rows * s.d_state, -1, 1), D(s.dim, 1, 1), bias(s.dim, -2, -2), out(elements), grad(elements, -1, 1),
      grad_u(elements), grad_delta(elements), grad_z(elements), grad_A(weights), grad_B(rows * s.d_state),
      grad_C(rows * s.d_state), grad_D(s.dim), grad_bias(s.dim);
  for (int64_t i = 0; i < weights; ++i) A[i] = -static_cast<float>(1 + i % s.d_state);
  const auto fill = [&](SelectiveScanInputs& args) {
    args.batch = s.batch, args.seq_len = s.seq_len, args.dim = s.dim, args.d_state = s.d_state;
    args.u = u.view(s.seq_len, s.dim), args.delta = delta.view(s.seq_len, s.dim), args.z = z.view(s.seq_len, s.dim);
    args.B = B.view(s.seq_len, s.d_state), args.C = C.view(s.seq_len, s.d_state);
    args.A = A.data(), args.D = D.data(), args.delta_bias = bias.data(), args.delta_softplus = true;
  };
  std::printf("%s (B %lld, L %lld, D %lld, N %lld)\n", s.name, static_cast<long long>(s.batch),
              static_cast<long long>(s.seq_len), static_cast<long long>(s.dim), static_cast<long long>(s.d_state));
  // One product of every channel and step, in seconds: an FMA counts two operations.
  const double product = 2e-9 * static_cast<double>(elements) / peak;
  const auto line = [&](const char* what, double time, double products, double tensors) {
    std::printf("  %-30s %8.2f ms   limit %8.2f ms  %3.0f %%   %5.2f Gstate/s  %5.1f GB/s\n", what, 1e3 * time,
                1e3 * products * product, 100 * products * product / time,
                1e-9 * static_cast<double>(elements * s.d_state) / time,
                4e-9 * tensors * static_cast<double>(elements) / time);
  };
  const KernelTable& kernels = *cpu_kernels();
  const double n = static_cast<double>(s.d_state);

  SelectiveScanArgs args;
  fill(args);
  args.out = out.target(s.seq_len, s.dim);
  line("forward", best_time([&] { kernels.selective_scan(args); }), 8 * n + 34, 4);
  Tensor checkpoints(selective_scan_checkpoint_size(args));
  args.checkpoints = checkpoints.data();
  line("forward, keeping checkpoints", best_time([&] { kernels.selective_scan(args); }), 8 * n + 34, 4 + n / 16);

  SelectiveScanBackwardArgs back;
  fill(back);
  back.grad_out = grad.view(s.seq_len, s.dim);
  back.grad_u = grad_u.target(s.seq_len, s.dim), back.grad_delta = grad_delta.target(s.seq_len, s.dim);
  back.grad_z = grad_z.target(s.seq_len, s.dim), back.grad_A = grad_A.data();
  back.grad_B = grad_B.target(s.seq_len, s.d_state), back.grad_C = grad_C.target(s.seq_len, s.d_state);
  back.grad_D = grad_D.data(), back.grad_delta_bias = grad_bias.data();
  line("backward", best_time([&] { kernels.selective_scan_backward(back); }), 23 * n + 94, 9);
  back.checkpoints = checkpoints.data();
  line("backward, given checkpoints", best_time([&] { kernels.selective_scan_backward(back); }), 16 * n + 75,
       7 + n / 16);
}

}  // namespace

int main() {
  const double peak = fma_peak();
  std::printf("%s, %d threads: FMA %.0f GFLOP/s, triad %.0f GB/s\n", isa_name(), num_threads(), peak, triad_rate());
  run({"layer of mamba-130m", 8, 2048, 1536, 16}, peak);
  run({"study", 64, 128, 128, 16}, peak);
  run({"narrow", 64, 128, 64, 16}, peak);
  run({"one sequence", 1, 2048, 1536, 16}, peak);
  run({"one long sequence", 1, 65536, 256, 16}, peak);
  run({"many states", 4, 512, 256, 64}, peak);
  return 0;
}

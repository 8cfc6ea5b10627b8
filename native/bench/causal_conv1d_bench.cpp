/// Causal convolution: milliseconds, and the rate of its compulsory memory traffic beside the machine's triad.
///
/// Forward reads x and writes out (8 bytes an element); backward reads x and grad_out and writes grad_x (12 bytes).
/// Where the tensors fit the caches the multipliers are the limit: W + 14 products an element forward, 3 W + 18 back.
#include <cstdio>

#include "bench_tensor.h"
#include "statespace/kernels.h"
#include "timing.h"

using namespace statespace;
using namespace statespace::bench;

namespace {

struct Shape {
  const char* name;
  int64_t batch, seq_len, dim, width;
};

void run(const Shape& s, double peak, double triad) {
  const int64_t elements = s.batch * s.seq_len * s.dim;
  Tensor x(elements, -1, 1), weight(s.dim * s.width, -1, 1), bias(s.dim, -1, 1), out(elements), grad(elements, -1, 1),
      grad_x(elements), grad_weight(s.dim * s.width), grad_bias(s.dim);
  const auto fill = [&](CausalConv1dInputs& args) {
    args.batch = s.batch, args.seq_len = s.seq_len, args.dim = s.dim, args.width = s.width;
    args.x = x.view(s.seq_len, s.dim), args.weight = weight.data(), args.bias = bias.data();
    args.activation = Activation::kSilu;
  };
  std::printf("%s (B %lld, L %lld, D %lld, W %lld)\n", s.name, static_cast<long long>(s.batch),
              static_cast<long long>(s.seq_len), static_cast<long long>(s.dim), static_cast<long long>(s.width));
  const auto line = [&](const char* what, double time, double products, double tensors) {
    const double rate = 4e-9 * tensors * static_cast<double>(elements) / time;
    std::printf("  %-10s %8.3f ms  %6.1f GB/s (%3.0f %% of triad)  multipliers %3.0f %%\n", what, 1e3 * time, rate,
                100 * rate / triad, 100 * products * 2e-9 * static_cast<double>(elements) / peak / time);
  };
  const KernelTable& kernels = *cpu_kernels();
  CausalConv1dArgs args;
  fill(args);
  args.out = out.target(s.seq_len, s.dim);
  line("forward", best_time([&] { kernels.causal_conv1d(args); }), static_cast<double>(s.width) + 14, 2);
  CausalConv1dBackwardArgs back;
  fill(back);
  back.grad_out = grad.view(s.seq_len, s.dim);
  back.grad_x = grad_x.target(s.seq_len, s.dim), back.grad_weight = grad_weight.data(), back.grad_bias = grad_bias.data();
  line("backward", best_time([&] { kernels.causal_conv1d_backward(back); }), 3 * static_cast<double>(s.width) + 18, 3);
}

}  // namespace

int main() {
  const double peak = fma_peak(), triad = triad_rate();
  std::printf("%s, %d threads: FMA %.0f GFLOP/s, triad %.0f GB/s\n", isa_name(), num_threads(), peak, triad);
  run({"layer of mamba-130m", 8, 2048, 1536, 4}, peak, triad);
  run({"study", 64, 128, 128, 4}, peak, triad);
  run({"one sequence", 1, 2048, 1536, 4}, peak, triad);
  run({"width 8", 8, 512, 512, 8}, peak, triad);
  return 0;
}

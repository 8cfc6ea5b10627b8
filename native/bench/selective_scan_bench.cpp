/// Selective scan: milliseconds, and their ratio to a limit made of measured probes.
///
/// Limit: what the multiplier ports must do, at the measured time of one vector product: 8 products for a state
/// update (5 for the decay, 3 for state and output), 22 for softplus, 16 for the gate; in the backward pass 16 more
/// for a state and about 30 for the gates' derivatives. Traffic is far below (printed as GB/s).
#include <cmath>

#include "sequence_probe.h"

using namespace statespace;
using namespace statespace::bench;

namespace {

struct Shape {
  const char* name;
  int64_t batch, seq_len, dim, d_state;
  int repeats;
};

void run(const Shape& s, const Yardstick& y) {
  const int64_t rows = s.batch * s.seq_len, elements = rows * s.dim;
  Floats u(elements), delta(elements), z(elements), A(s.dim * s.d_state), B(rows * s.d_state), C(rows * s.d_state),
      D(s.dim, 1.0f), bias(s.dim, -2.0f), out(elements), grad(elements), gu(elements), gdelta(elements), gz(elements),
      gA(A.size()), gB(B.size()), gC(C.size()), gD(s.dim), gbias(s.dim);
  fill(u, -1, 1), fill(delta, -2, 2), fill(z, -2, 2), fill(B, -1, 1), fill(C, -1, 1), fill(grad, -1, 1);
  for (int64_t i = 0; i < A.size(); ++i) A[i] = -static_cast<float>(1 + i % s.d_state);
  SelectiveScanArgs args;
  const auto common = [&](SelectiveScanInputs& in) {
    in.batch = s.batch, in.seq_len = s.seq_len, in.dim = s.dim, in.d_state = s.d_state;
    in.u = {u.data(), s.seq_len * s.dim, s.dim}, in.delta = {delta.data(), s.seq_len * s.dim, s.dim};
    in.z = {z.data(), s.seq_len * s.dim, s.dim};
    in.B = {B.data(), s.seq_len * s.d_state, s.d_state}, in.C = {C.data(), s.seq_len * s.d_state, s.d_state};
    in.A = A.data(), in.D = D.data(), in.delta_bias = bias.data(), in.delta_softplus = true;
  };
  common(args);
  args.out = out.data();
  Floats checkpoints(selective_scan_checkpoint_size(args));
  const KernelTable& k = *cpu_kernels();
  const double vectors = static_cast<double>(elements) / lanes_of(y.isa) / num_threads();
  const double forward_limit = vectors * (8.0 * s.d_state + 38) * y.product * 1e-6;
  const double forward = best_ms(s.repeats, [&] { k.selective_scan(args); });
  args.checkpoints = checkpoints.data();
  const double saving = best_ms(s.repeats, [&] { k.selective_scan(args); });

  SelectiveScanBackwardArgs back;
  common(back);
  back.grad_out = {grad.data(), s.seq_len * s.dim, s.dim};
  back.grad_u = gu.data(), back.grad_delta = gdelta.data(), back.grad_z = gz.data(), back.grad_A = gA.data();
  back.grad_B = gB.data(), back.grad_C = gC.data(), back.grad_D = gD.data(), back.grad_delta_bias = gbias.data();
  const double alone = best_ms(s.repeats, [&] { k.selective_scan_backward(back); });
  back.checkpoints = checkpoints.data();
  const double given = best_ms(s.repeats, [&] { k.selective_scan_backward(back); });
  const double given_limit = vectors * (16.0 * s.d_state + 70) * y.product * 1e-6;
  const double alone_limit = given_limit + vectors * (7.0 * s.d_state + 22) * y.product * 1e-6;
  const double states = static_cast<double>(elements * s.d_state) * 1e-6;
  std::printf("%s (B %ld, L %ld, D %ld, N %ld)\n", s.name, s.batch, s.seq_len, s.dim, s.d_state);
  const auto line = [&](const char* what, double ms, double limit, double tensors) {
    std::printf("  %-34s %8.2f ms  limit %8.2f  %3.0f %%  %5.2f Gstate/s  %5.1f GB/s\n", what, ms, limit,
                100 * limit / ms, states / ms, 4e-6 * tensors * static_cast<double>(elements) / ms);
  };
  line("forward", forward, forward_limit, 4);
  line("forward, writing checkpoints", saving, forward_limit, 4);
  line("backward, checkpoints given", given, given_limit, 7);
  line("backward", alone, alone_limit, 9);
}

}  // namespace

int main() {
  const Yardstick y = measure_yardstick();
  run({"layer of mamba-130m", 8, 2048, 1536, 16, 5}, y);
  run({"small study", 64, 128, 128, 16, 40}, y);
  run({"narrow", 64, 128, 64, 16, 40}, y);
  run({"one sequence", 1, 2048, 1536, 16, 20}, y);
  run({"long", 1, 65536, 256, 16, 3}, y);
  run({"many states", 4, 512, 256, 64, 10}, y);
  return 0;
}
